"""Decision files that are wrong in one way each, and what the message must say."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bad_input.making import RIGHT, changed


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One malformed file: the code it must raise and words its message must have."""

    name: str
    text: str | bytes
    code: str
    says: tuple[str, ...]


def _wrong(name: str, text: str | bytes, code: str, *says: str) -> Wrong:
    return Wrong(name=name, text=text, code=code, says=says)


RULE = '\n[current_rule]\notherwise = "leave"\n[[current_rule.cases]]\nwhen = "{}"\nthen = "call"\n'
GROUP = "\n[[subgroups]]\n"
LIMIT = '\n[[limits]]\nname = "hours"\n'
FLOOR = '\n[[constraints]]\nname = "few"\nkind = "floor"\nshare = 0.1\n'


def _review(inner: str, more: str = "") -> str:
    ask = f'ask = {{ review = {{ {inner} }} }}\nleave = "Leave'
    return changed(('"balance * 0.1"', "20"), ('leave = "Leave', ask), more=more)


TEXT = '[data]\ntext = ["note"]\n'
KIND = ('name = "calls"', 'name = "calls"\nkind = "text"')

WRONG = (
    # ------------------------------------------------------------------ not a TOML file at all
    _wrong("empty file", "", "PAY-D004", "schema_version"),
    _wrong("only a comment", "# nothing yet\n", "PAY-D004", "schema_version"),
    _wrong("prose", "call the customers who pay\n", "PAY-D001", "line 1"),
    _wrong("JSON", '{"decision": {"name": "calls"}}', "PAY-D001", "line 1"),
    _wrong("unclosed text", changed(('"calls"', '"calls')), "PAY-D001", "line 4"),
    _wrong("unclosed table", changed(("[data]", "[data")), "PAY-D001", "line 10"),
    _wrong(
        "key twice", changed(('name = "calls"', 'name = "a"\nname = "b"')), "PAY-D001", "line 5"
    ),
    _wrong("table twice", changed(more='\n[data]\noutcome = "y"\n'), "PAY-D001", "line 34"),
    _wrong("value without quotes", changed(('"EUR"', "EUR")), "PAY-D001", "line 5"),
    _wrong("not UTF-8", RIGHT.replace("Call", "Zur\xfcck").encode("latin-1"), "PAY-D002", "UTF-8"),
    _wrong("UTF-16", RIGHT.encode("utf-16"), "PAY-D002", "UTF-8"),
    _wrong("NUL byte", RIGHT.encode().replace(b"calls", b"ca\0lls"), "PAY-D001", "line 4"),
    _wrong("terminal escape", changed(("calls", "a\x1b[31mb")), "PAY-D001", "line 4"),
    _wrong("2 MB", RIGHT + "#" * 2_000_000, "PAY-D002", "1 MB"),
    _wrong("number of 5,000 digits", changed(("-5", "9" * 5000)), "PAY-D001", "digits"),
    _wrong("nested 5,000 deep", changed(("-5", "[" * 5000 + "]" * 5000)), "PAY-D001", "nested"),
    # ------------------------------------------------------------------------------ documents
    _wrong("text without a text column", changed(KIND), "PAY-D006", "narrative"),
    _wrong("documents of a table", changed(("[data]\n", TEXT)), "PAY-D006", "kind = 'text'"),
    _wrong("settings of documents", changed(more="\n[text]\nredact = false\n"), "PAY-D006", "kind"),
    _wrong(
        "the outcome as a document",
        changed(KIND, ("[data]\n", TEXT.replace("note", "y"))),
        "PAY-D006",
        "data.text",
    ),
    _wrong(
        "one text column twice",
        changed(KIND, ("[data]\n", TEXT.replace('"note"', '"note", "note"'))),
        "PAY-D009",
        "note",
    ),
    _wrong(
        "documents as groups",
        changed(KIND, ("[data]\n", TEXT), more=GROUP + 'column = "note"\n'),
        "PAY-D006",
        "subgroups[0].column",
    ),
    *(
        _wrong(
            f"text.{line}",
            changed(KIND, ("[data]\n", TEXT), more=f"\n[text]\n{line}\n"),
            code,
            word,
        )
        for line, code, word in (
            ("similarity = 0.2", "PAY-D006", "0.5 to 1"),
            ('languages = ["english"]', "PAY-D006", "small letters"),
            ("longest = 3", "PAY-D006", "5,000,000"),
            ('twins = "drop"', "PAY-D006", "keep together"),
            ('redact = "yes"', "PAY-D005", "true or false"),
        )
    ),
    # ----------------------------------------------------------------------------- keys
    _wrong("unknown table", changed(more="\n[modelling]\nfolds = 3\n"), "PAY-D003", "modelling"),
    _wrong(
        "misspelt key",
        changed(("volume", "volum")),
        "PAY-D003",
        "decision.volum",
        "'volume'",
        "line 7",
    ),
    _wrong(
        "key of another table",
        changed(("folds", "level")),
        "PAY-D003",
        "training.level",
        "'evidence.level'",
    ),
    *(
        _wrong(
            f"another word: {table}.{word}",
            changed((f"[{table}]\n", f"[{table}]\n{word} = 'x'\n")),
            "PAY-D003",
            f"{table}.{word}",
            f"Did you mean '{meant}'",
        )
        for table, word, meant in (
            ("data", "id", "unit_id"),
            ("data", "target", "outcome"),
            ("data", "date", "time"),
            ("decision", "target", "data.outcome"),
            ("training", "random_state", "seed"),
        )
    ),
    _wrong("outcome at the top", "outcome = 'y'\n" + RIGHT, "PAY-D003", "outcome", "'outcomes'"),
    _wrong(
        "key with an escape",
        changed(('unit = "customer"', '"a\\u001b[0mb" = 1')),
        "PAY-D003",
        "x1b",
    ),
    _wrong(
        "key with a bidi override",
        changed(('unit = "customer"', '"a\\u202eb" = 1')),
        "PAY-D003",
        "202e",
    ),
    _wrong(
        "key with a line end", changed(('unit = "customer"', '"a\\nb" = 1')), "PAY-D003", r"a\nb"
    ),
    _wrong("no decision", changed(("[decision]", "[decisions]")), "PAY-D003", "'decision'"),
    _wrong("no name", changed(('name = "calls"\n', "")), "PAY-D004", "decision.name"),
    _wrong("no currency", changed(('currency = "EUR"\n', "")), "PAY-D004", "decision.currency"),
    _wrong("no outcome column", changed(('outcome = "y"\n', "")), "PAY-D004", "data.outcome"),
    _wrong("no version", changed(("schema_version = 1\n", "")), "PAY-D004", "schema_version = 1"),
    _wrong("no payoffs", RIGHT.partition("[payoffs")[0], "PAY-D004", "payoffs"),
    # ----------------------------------------------------------------------------- types
    _wrong("version as text", changed(("= 1\n", '= "1"\n')), "PAY-D005", "schema_version", "whole"),
    _wrong("version 2", changed(("= 1\n", "= 2\n")), "PAY-D006", "schema_version", "2", "1"),
    _wrong("version true", changed(("= 1\n", "= true\n")), "PAY-D005", "schema_version"),
    _wrong("name a number", changed(('"calls"', "3")), "PAY-D005", "decision.name", "a number 3"),
    _wrong(
        "volume as text", changed(("1000", '"1000"')), "PAY-D005", "decision.volume", "a number"
    ),
    _wrong("decision a list", changed(("[decision]", "[[decision]]")), "PAY-D005", "decision"),
    _wrong("money a list", changed(("-5", "[-5]")), "PAY-D005", "payoffs.call.no", "a list"),
    _wrong("money a date", changed(("-5", "2026-11-23")), "PAY-D005", "payoffs.call.no", "a date"),
    _wrong(
        "money true", changed(("-5", "true")), "PAY-D005", "payoffs.call.no", "truth value true"
    ),
    _wrong(
        "cell without money", changed(("-5", '{ source = "x" }')), "PAY-D004", "payoffs.call.no"
    ),
    _wrong("row of money a number", changed(("[payoffs.leave]\nyes = 0\nno = 0", "")), "PAY-D008"),
    _wrong("folds 2.5", changed(("folds = 2", "folds = 2.5")), "PAY-D005", "training.folds"),
    _wrong("candidates as text", changed(('["logistic"]', '"logistic"')), "PAY-D005", "a list"),
    _wrong("a candidate 3", changed(('["logistic"]', "[3]")), "PAY-D005", "training.candidates[0]"),
    _wrong(
        "exclude a list", changed(('= "y"\n', '= "y"\nexclude = ["x"]\n')), "PAY-D005", "exclude"
    ),
    # ---------------------------------------------------------------------------- values
    _wrong("empty name", changed(('"calls"', '""')), "PAY-D006", "decision.name"),
    _wrong("name a path", changed(('"calls"', '"../../etc/x"')), "PAY-D006", "decision.name"),
    _wrong("name of 10,000", changed(('"calls"', f'"{"a" * 10_000}"')), "PAY-D006", "10000"),
    _wrong("name with newline", changed(('"calls"', r'"a\nb"')), "PAY-D006", r"a\nb"),
    _wrong("currency a sentence", changed(('"EUR"', '"euros and some cents"')), "PAY-D006", "EUR"),
    _wrong(
        "period a fortnight",
        changed(('unit = "customer"', 'period = "fortnight"')),
        "PAY-D006",
        "'week'",
    ),
    _wrong(
        "kind unknown", changed(('unit = "customer"', 'kind = "image"')), "PAY-D006", "'tabular'"
    ),
    _wrong("volume 0", changed(("1000", "0")), "PAY-D006", "decision.volume", "above 0"),
    _wrong("volume negative", changed(("1000", "-3")), "PAY-D006", "decision.volume"),
    _wrong("volume infinite", changed(("1000", "inf")), "PAY-D006", "decision.volume", "inf"),
    _wrong("volume not a number", changed(("1000", "nan")), "PAY-D006", "decision.volume", "nan"),
    _wrong("money infinite", changed(("-5", "inf")), "PAY-D006", "payoffs.call.no", "finite"),
    _wrong("money not a number", changed(("-5", "nan")), "PAY-D006", "payoffs.call.no", "finite"),
    _wrong("one outcome", changed(('no = "no"\n', "")), "PAY-D006", "outcomes", "at least two"),
    _wrong("one action", changed(('leave = "Leave alone"\n', "")), "PAY-D006", "actions", "two"),
    _wrong(
        "outcome without values",
        changed(('no = "no"', "no = { values = [] }")),
        "PAY-D006",
        "outcomes.no",
    ),
    _wrong(
        "value and values",
        changed(('no = "no"', "no = { value = 1, values = [2] }")),
        "PAY-D006",
        "either",
    ),
    _wrong(
        "label alone", changed(('no = "no"', 'no = { label = "No" }')), "PAY-D006", "outcomes.no"
    ),
    _wrong(
        "name of an action", changed(("call = ", '"1st call" = ')), "PAY-D006", "actions", "letter"
    ),
    _wrong("braces in a name", changed(("call = ", '"{call}" = ')), "PAY-D006", "{call}"),
    _wrong("script in a name", changed(("call = ", '"</script>" = ')), "PAY-D006", "</script>"),
    _wrong(
        "capacity and share",
        changed(('"Call"', "{ capacity = 1, capacity_share = 0.1 }")),
        "PAY-D006",
        "actions.call",
        "not both",
    ),
    _wrong(
        "capacity negative",
        changed(('"Call"', "{ capacity = -1 }")),
        "PAY-D006",
        "actions.call.capacity",
    ),
    _wrong(
        "share above 1",
        changed(('"Call"', "{ capacity_share = 20 }")),
        "PAY-D006",
        "actions.call.capacity_share",
    ),
    _wrong(
        "capacity without volume",
        changed(("volume = 1000\n", ""), ('"Call"', "{ capacity = 9 }")),
        "PAY-D006",
        "volume",
    ),
    _wrong(
        "source and query",
        changed(('= "y"\n', '= "y"\nquery = "select 1"\n')),
        "PAY-D006",
        "not both",
    ),
    _wrong(
        "exclude without reason", changed(more='\n[data.exclude]\nx = " "\n'), "PAY-D006", "reason"
    ),
    _wrong(
        "outcome excluded", changed(more='\n[data.exclude]\ny = "leak"\n'), "PAY-D006", "outcome"
    ),
    _wrong(
        "feature excluded",
        changed(('= "y"\n', '= "y"\nfeatures = ["x"]\n'), more='\n[data.exclude]\nx = "leak"\n'),
        "PAY-D006",
        "features",
    ),
    _wrong(
        "range above its money",
        changed(("no = -5", "no = { money = -5, low = -4, high = -3 }")),
        "PAY-D006",
        "payoffs.call.no",
        "low < -5 < high",
    ),
    _wrong(
        "range with one end",
        changed(("no = -5", "no = { money = -5, low = -9 }")),
        "PAY-D004",
        "payoffs.call.no.high",
    ),
    _wrong(
        "range of an expression in money",
        changed(('yes = "balance * 0.1"', 'yes = { money = "balance * 0.1", low = 5, high = 9 }')),
        "PAY-D006",
        "payoffs.call.yes",
        "factors on the money",
    ),
    _wrong(
        "range not known",
        changed(("no = -5", 'no = { money = -5, low = -9, high = -1, distribution = "beta" }')),
        "PAY-D006",
        "payoffs.call.no.distribution",
        "triangular",
    ),
    _wrong(
        "shape without a range",
        changed(("no = -5", 'no = { money = -5, distribution = "uniform" }')),
        "PAY-D006",
        "payoffs.call.no.distribution",
        "'low' and 'high'",
    ),
    _wrong(
        "lopsided normal range",
        changed(("no = -5", 'no = { money = -5, low = -9, high = -4, distribution = "normal" }')),
        "PAY-D006",
        "payoffs.call.no.distribution",
        "triangular",
    ),
    _wrong(
        "margin below 0",
        changed(more="\n[evidence]\nmargin = -1\n"),
        "PAY-D006",
        "evidence.margin",
        "from 0 up",
    ),
    _wrong("money reads the outcome", changed(("balance *", "y *")), "PAY-D006", "outcome"),
    _wrong(
        "money is a word",
        changed(('"balance * 0.1"', "\"'much'\"")),
        "PAY-D006",
        "payoffs.call.yes",
    ),
    _wrong("shares do not sum", changed(more="\n[split]\nfit = 0.9\n"), "PAY-D006", "sum to 1"),
    _wrong(
        "share 0",
        changed(more="\n[split]\nfit = 0\nchoose = 0.5\njudge = 0.5\n"),
        "PAY-D006",
        "split.fit",
    ),
    _wrong(
        "split method", changed(more='\n[split]\nmethod = "stratified"\n'), "PAY-D006", "'random'"
    ),
    _wrong("level 95", changed(more="\n[evidence]\nlevel = 95\n"), "PAY-D006", "evidence.level"),
    _wrong("group of one", changed(more="\n[evidence]\nsmallest_group = 1\n"), "PAY-D006", "2"),
    _wrong(
        "rate of nobody",
        changed(more="\n[evidence]\nsmallest_denominator = 0\n"),
        "PAY-D006",
        "1",
    ),
    _wrong("folds 1", changed(("folds = 2", "folds = 1")), "PAY-D006", "training.folds"),
    _wrong("seed negative", changed(("folds = 2", "seed = -1")), "PAY-D006", "training.seed"),
    _wrong("no candidate", changed(('["logistic"]', "[]")), "PAY-D006", "training.candidates"),
    _wrong(
        "bands descending",
        changed(more=GROUP + 'column = "x"\nbands = [3, 2]\n'),
        "PAY-D006",
        "ascending",
    ),
    _wrong(
        "bands infinite",
        changed(more=GROUP + 'column = "x"\nbands = [0, inf]\n'),
        "PAY-D006",
        "finite",
    ),
    _wrong(
        "column and intersect",
        changed(more=GROUP + 'column = "x"\nintersect = ["a", "b"]\n'),
        "PAY-D006",
        "either",
    ),
    _wrong("intersect of one", changed(more=GROUP + 'intersect = ["a"]\n'), "PAY-D006", "two"),
    _wrong(
        "rule and column",
        changed(more=RULE.format("x > 1") + "[training2]\n"),
        "PAY-D003",
        "training2",
    ),
    _wrong(
        "rule without anything",
        changed(more='\n[current_rule]\nlabel = "Whatever"\n'),
        "PAY-D006",
        "current_rule",
    ),
    _wrong("rule reads the outcome", changed(more=RULE.format("y = 'yes'")), "PAY-D006", "outcome"),
    _wrong(
        "rule is a number", changed(more=RULE.format("3")), "PAY-D006", "current_rule.cases[0].when"
    ),
    _wrong(
        "rule reads the future",
        changed(more=RULE.format("x > 1") + '\n[data.known_later]\nx = "later"\n'),
        "PAY-D006",
        "known when",
    ),
    # ------------------------------------------------------------------------- references
    _wrong(
        "do nothing unknown", changed(('"leave"', '"leav"')), "PAY-D007", "do_nothing", "'leave'"
    ),
    _wrong(
        "positive unknown", changed(("volume", 'positive = "Yes!"\nvolume')), "PAY-D007", "'yes'"
    ),
    _wrong(
        "payoff of no action",
        changed(("[payoffs.leave]", "[payoffs.leaves]")),
        "PAY-D007",
        "'leaves'",
        "'leave'",
    ),
    _wrong("payoff of no outcome", changed(("no = -5", "maybe = -5")), "PAY-D007", "maybe"),
    _wrong(
        "rule takes no action",
        changed(more=RULE.format("x > 1").replace('"call"', '"ring"')),
        "PAY-D007",
        "ring",
    ),
    _wrong(
        "rule otherwise unknown",
        changed(more=RULE.format("x > 1").replace('"leave"', '"nil"')),
        "PAY-D007",
        "nil",
    ),
    _wrong(
        "intersect unknown",
        changed(more=GROUP + 'intersect = ["a", "b"]\n'),
        "PAY-D007",
        "intersect",
    ),
    _wrong(
        "probability unknown",
        changed(more='\n[predictions.probability]\nyess = "p"\n'),
        "PAY-D007",
        "'yes'",
    ),
    _wrong("empty cell", changed(("no = -5\n", "")), "PAY-D008", "payoffs.call.no"),
    # ----------------------------------------------------------------------------- twice
    _wrong("outcomes by case", changed(('no = "no"', 'no = "no"\nYES = "si"')), "PAY-D009", "YES"),
    _wrong("same value twice", changed(('no = "no"', 'no = "yes"')), "PAY-D009", "'yes'"),
    _wrong(
        "1 and 1.0",
        changed(('yes = "yes"', "yes = 1"), ('no = "no"', "no = 1.0")),
        "PAY-D009",
        "outcomes.no",
    ),
    _wrong(
        "candidate twice",
        changed(('["logistic"]', '["logistic", "logistic"]')),
        "PAY-D009",
        "logistic",
    ),
    _wrong(
        "subgroups twice",
        changed(more=GROUP + 'column = "x"\n' + GROUP + 'column = "X"\n'),
        "PAY-D009",
        "subgroups",
    ),
    # ------------------------------------------------- reviews, limits, constraints, fixed costs
    _wrong("review without cost", _review("errors = 0"), "PAY-D004", "actions.ask.review.cost"),
    _wrong("review without errors", _review("cost = 1"), "PAY-D004", "actions.ask.review.errors"),
    _wrong("review of minus 4", _review("cost = -4, errors = 0"), "PAY-D006", "without a sign"),
    _wrong("errors in percent", _review("cost = 1, errors = 5"), "PAY-D006", "0 to 1"),
    _wrong(
        "no error rate for one outcome",
        _review("cost = 1, errors = { yes = 0.1 }"),
        "PAY-D004",
        "review.errors.no",
    ),
    _wrong(
        "error rate of no outcome",
        _review("cost = 1, errors = { yes = 0, no = 0, nay = 0 }"),
        "PAY-D007",
        "'nay'",
    ),
    _wrong(
        "review decides to review",
        _review('cost = 1, errors = 0, right = { yes = "ask" }'),
        "PAY-D007",
        "review.right.yes",
    ),
    _wrong(
        "review with payoffs",
        _review("cost = 1, errors = 0", more="\n[payoffs.ask]\nyes = 1\nno = 1\n"),
        "PAY-D006",
        "payoffs.ask.yes",
        "Remove the row",
    ),
    _wrong(
        "review of half an expression",
        _review('cost = "balance *", errors = 0'),
        "PAY-D051",
        "review.cost",
    ),
    _wrong(
        "who is right is not known",
        _review("cost = 1, errors = 0").replace("yes = 20", 'yes = "balance"'),
        "PAY-D004",
        "review.right",
    ),
    _wrong("limit without a name", changed(more="\n[[limits]]\nshare = 1\n"), "PAY-D004", "name"),
    _wrong(
        "limit without room",
        changed(more=LIMIT + 'actions = ["call"]\n'),
        "PAY-D006",
        "limits[0]",
        "'per_period'",
    ),
    _wrong(
        "limit on nothing", changed(more=LIMIT + "actions = []\nshare = 1\n"), "PAY-D006", "actions"
    ),
    _wrong(
        "limit on an unknown action",
        changed(more=LIMIT + 'actions = ["cal"]\nshare = 1\n'),
        "PAY-D007",
        "limits[0].actions",
        "'call'",
    ),
    _wrong(
        "limit uses nothing",
        changed(more=LIMIT + "actions = { call = 0 }\nshare = 1\n"),
        "PAY-D006",
        "actions.call",
    ),
    _wrong(
        "limit on everything",
        changed(more=LIMIT + 'actions = ["call", "leave"]\nshare = 0.1\n'),
        "PAY-D006",
        "at least one action without a limit",
    ),
    _wrong(
        "limit per month without a volume",
        changed(("volume = 1000\n", ""), more=LIMIT + 'actions = ["call"]\nper_period = 9\n'),
        "PAY-D006",
        "'volume'",
    ),
    _wrong(
        "limit of an unknown subgroup",
        changed(more=LIMIT + 'actions = ["call"]\nshare = 0.1\nsubgroup = "job"\n'),
        "PAY-D007",
        "limits[0].subgroup",
    ),
    _wrong(
        "group without a subgroup",
        changed(more=LIMIT + 'actions = ["call"]\nshare = 0.1\ngroup = "cook"\n'),
        "PAY-D004",
        "limits[0].subgroup",
    ),
    _wrong(
        "unknown kind of constraint",
        changed(more=FLOOR.replace("floor", "ceiling")),
        "PAY-D006",
        "'floor'",
    ),
    _wrong("floor of 20", changed(more=FLOOR.replace("0.1", "20")), "PAY-D006", "constraints[0]"),
    _wrong(
        "gap between nothing",
        changed(more=FLOOR.replace("floor", "max_gap")),
        "PAY-D006",
        "a gap is between groups",
    ),
    _wrong("two of one name", changed(more=FLOOR + FLOOR), "PAY-D009", "few"),
    _wrong(
        "who is acted on is not known",
        changed(('do_nothing = "leave"\n', ""), more=FLOOR),
        "PAY-D004",
        "constraints[0].actions",
    ),
    _wrong("fixed cost below 0", changed(('"Call"', "{ fixed_cost = -1 }")), "PAY-D006", "from 0"),
    _wrong(
        "fixed cost without a volume",
        changed(("volume = 1000\n", "model_cost = 9\n")),
        "PAY-D006",
        "decision.model_cost",
        "'volume'",
    ),
    # -------------------------------------------------------------------------- expressions
    _wrong("percent", changed(("* 0.1", "* 10%")), "PAY-D051", "payoffs.call.yes", "0.25, not 25%"),
    _wrong("empty money", changed(('"balance * 0.1"', '""')), "PAY-D051", "payoffs.call.yes"),
    _wrong("half an expression", changed(("balance * 0.1", "balance *")), "PAY-D051", "the end"),
    _wrong("a statement", changed(("* 0.1", "; drop table x")), "PAY-D051", "no statements"),
    _wrong("Python", changed(("balance * 0.1", "__import__('os')")), "PAY-D052", "__import__"),
    _wrong(
        "a function in Excel", changed(("balance * 0.1", "max(balance, 1)")), "PAY-D051", "greatest"
    ),
    _wrong("rounds", changed(("balance * 0.1", "rond(balance)")), "PAY-D052", "'round'"),
    _wrong("braces", changed(("balance * 0.1", "{balance}")), "PAY-D051", "Braces"),
    _wrong("dotted column", changed(("balance * 0.1", "b.alance")), "PAY-D051", "double quotes"),
    _wrong("unclosed quote", changed(("balance * 0.1", "'abc")), "PAY-D051", "must be closed"),
    _wrong("1e999", changed(("balance * 0.1", "1e999")), "PAY-D051", "1.8e308"),
    _wrong(
        "100 brackets",
        changed(("balance * 0.1", "(" * 100 + "1" + ")" * 100)),
        "PAY-D051",
        "60 nested",
    ),
    _wrong("a very long one", changed(("balance * 0.1", "1 + " * 2000 + "1")), "PAY-D051", "4,000"),
    _wrong("chained", changed(more=RULE.format("1 < x < 3")), "PAY-D051", "a < b and b < c"),
    _wrong("bidi in money", changed(("balance * 0.1", "bal\\u202eance")), "PAY-D051", "202e"),
)
