"""Files that are no table, and what the message must say of each."""

from __future__ import annotations

import gzip

PARQUET = b"PAR1" + b"\0" * 40 + b"PAR1"

BAD = {
    # name: (file, content, code, words the message must have)
    "empty.csv": (b"", "PAY-L003", ("an empty file",)),
    "header.csv": (b"a,b\n", "PAY-L003", ("0 rows",)),
    "header-no-end.csv": (b"a,b", "PAY-L003", ("0 rows",)),
    "blank.csv": (b"\n\n\n", "PAY-L003", ("only blank lines",)),
    "twice.csv": (b"a,b,a\n1,2,3\n", "PAY-L005", ("'a'",)),
    "case.csv": (b"a,b,A\n1,2,3\n", "PAY-L005", ("'A'",)),
    "blanks.csv": (b"a,b, a \n1,2,3\n", "PAY-L005", ("' a '",)),
    "semicolon-twice.csv": (b"a;b;a\n1;2;3\n4;5;6\n", "PAY-L005", ("'a'",)),
    "quoted-twice.csv": (b'"a","b","a"\n1,2,3\n', "PAY-L005", ("'a'",)),
    "ragged.csv": (
        b"a,b\n" + b"1,2\n" * 30 + b"1,2,3,4\n" + b"1,2\n" * 30,
        "PAY-L002",
        ("4 values in line 32",),
    ),
    "latin1.csv": ("a,b\nZ\xfcrich,1\nBern,2\n".encode("latin-1"), "PAY-L002", ("UTF-8",)),
    "utf16.csv": ("a,b\nx,1\ny,2\n".encode("utf-16"), "PAY-L002", ()),
    "short.csv": (b"a,b,c\n1,x,2\n2,y\n3,z,4\n", "PAY-L002", ("2 values in line 3", "header of 3")),
    "mixed-ends.csv": (b"a,b\n1,2\r\n3,4\n", "PAY-L002", ("end in two different ways",)),
    "late-ragged.csv": (b"a,b\n" + b"1,2\n" * 30_000 + b"1,2,3\n", "PAY-L002", ("line 30002",)),
    "twice.csv.gz": (gzip.compress(b"a,b,a\n1,2,3\n"), "PAY-L005", ("'a'",)),
    "ragged.csv.gz": (gzip.compress(b"a,b\n1,2,3\n4\n"), "PAY-L002", ("line 2",)),
    "binary.csv": (bytes(range(256)) * 20, "PAY-L00", ()),
    "not-gzip.csv.gz": (b"a,b\n1,2\n", "PAY-L002", ()),
    "cut.csv.gz": (gzip.compress(b"a,b\n" + b"1,2\n" * 5000)[:40], "PAY-L002", ()),
    "empty.parquet": (b"", "PAY-L00", ("empty.parquet",)),
    "text.parquet": (b"a,b\n1,2\n", "PAY-L002", ("text.parquet",)),
    "hollow.parquet": (PARQUET, "PAY-L002", ("hollow.parquet",)),
    "empty.arrow": (b"", "PAY-L00", ("empty.arrow",)),
    "text.feather": (b"a,b\n1,2\n", "PAY-L002", ("text.feather",)),
    "rows.xlsx": (b"PK\3\4", "PAY-L002", ("'rows.xlsx'",)),
    "rows.json": (b"[]", "PAY-L002", ("'rows.json'",)),
    "rows": (b"a,b\n1,2\n", "PAY-L002", ("'rows'",)),
}
