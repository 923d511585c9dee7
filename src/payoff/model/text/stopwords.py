"""Words that name nothing: the little words of seven languages, one list for all of them."""

from __future__ import annotations

from typing import Final

__all__ = ["STOPWORDS"]

_ENGLISH: Final = """
a able about above actually after again against ago all almost already also although always am
among an and another any anybody anyone anything anyway are around as ask asked at away back be
became because become been before began being believe below best better between both but by call
came can cannot cant come comes coming could couldn couldnt did didn didnt different do does doesn
doesnt doing don done dont down due during each either else end enough especially etc even ever
every everyone everything far few find first five for found four from further gave get gets
getting give given go goes going gone good got great had hadn half happen happened hardly has hasn
have haven having he hello help her here hers herself hey hi high him himself his how however i id
if ill im in include included includes including instead into is isn isnt it its itself ive just
keep kept knew know known last later least less let like likely little ll long look looking looks
lot lots low made make makes making many may maybe me might mine more most much must my myself
near nearly need needed needs neither never new next no nobody none nor not nothing now of off
often oh ok okay old on once one only onto or other others our ours ourselves out over own part
per perhaps please pretty put quite rather re really regarding right said same saw say saying says
see seem seemed seems seen self several shall she should shouldn since so some somebody someone
something sometimes soon still stop such sure take taken takes taking tell than thank thanks that
thats the their theirs them themselves then there therefore these they thing things think third
this those though thought three through thus time times to today together told too took toward
tried tries truly try trying twice two under unless until up upon us use used using usually ve
very via want wanted wants was wasn wasnt way we well went were weren what whatever when whenever
where whether which while who whole whom whose why will wish with within without won wont would
wouldn wouldnt yes yet you your yours yourself yourselves
"""
_GERMAN: Final = """
aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis
bitte bist da dabei dadurch dafür dagegen daher damit danach dann dar daran darauf darf darum das
dass davon dazu dein dem den denn der des deshalb dich die dies diese diesem diesen dieser dieses
dir doch dort du durch ein eine einem einen einer eines einfach einmal er erst es etwas euch euer
für ganz gar gegen gern gibt haben habe hallo hast hat hatte hatten hätte hier ich ihm ihn ihnen
ihr ihre ihrem ihren ihrer immer in ins ist ja jede jedem jeden jeder jedes jetzt kann kein keine
keinen kein könnte können man mehr mein meine meinem meinen meiner mich mir mit möchte muss nach
nein nicht nichts nie noch nun nur ob oder ohne schon sehr sein seine seinem seinen seit selbst
sich sie sind so sogar soll sollte sondern sonst über um und uns unser unsere unter viel vom von
vor wann war waren warum was wegen weil weiter welche wenn wer werde werden wie wieder will wir
wird wo wurde wurden würde zu zum zur zwar zwischen
"""
_FRENCH: Final = """
afin ai ainsi alors après as assez au aucun aussi autre autres aux avaient avait avant avec avez
avoir avons bien bonjour ça car ce cela celle celui ces cet cette ceux chaque chez comme comment
contre dans de depuis des deux devant dire doit donc dont du elle elles en encore entre es est et
étaient était étant été être eu eux faire fait faut fois font ici il ils je jour jusqu la là le
les leur leurs lors lui ma mais me même mêmes merci mes moi moins mon ne ni nos notre nous on ont
or ou où par parce pas pendant peu peut plus plusieurs pour pourquoi pouvez puis quand que quel
quelle quelque qui quoi rien sa sans se sera ses seulement si sinon son sont sous sur ta te tes
toi ton toujours tous tout toute toutes très trop tu un une va vers voilà vos votre vous
"""
_SPANISH: Final = """
al algo algunas algunos ante antes aquí así aun aunque bien cada casi como con contra cual cuando
cuanto de del desde donde dos durante el él ella ellas ellos en entre era eran es esa esas ese eso
esos esta está están estas este esto estos fue fueron gracias ha hace hacer haber había han hasta
hay he hola la las le les lo los más me mi mis mucho muchos muy nada ni no nos nosotros nuestra
nuestro o os otra otras otro otros para pero poco por porque pues que qué quien se sea según ser
si sí sido sin sobre son soy su sus también tan tanto te tener tengo ti tiene todo todos tu tus un
una unas uno unos usted ustedes y ya yo
"""
_ITALIAN: Final = """
abbiamo agli ai al alla alle allo anche ancora avere aveva bene buongiorno c che chi ci ciao come
con contro cosa cosi così cui da dagli dai dal dalla dalle degli dei del della delle dello dentro
di dopo dove e è ed era erano essere fa fare fino fra già gli grazie ha hanno ho i il in io l la
le lei li lo loro lui ma me mi mia mie miei mio molto ne negli nei nel nella nelle noi non nostra
nostro o ogni oltre ora per perché però più poi prima qua quale quando quanto quella quelle quelli
quello questa queste questi questo qui sarà se sei sempre senza si sì sia solo sono sopra sotto
sta stata stato su sua sue sugli sui sul sulla suo suoi te ti tra tu tua tuo tutta tutte tutti
tutto un una uno vi voi
"""
_DUTCH: Final = """
aan al alle alleen als altijd ben bent bij daar dan dat de deze die dit doen door dus een eens en
er geen graag had hallo heb hebben heeft hem het hier hij hoe hun iets ik in is ja je jij jullie
kan kunnen maar mag me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons
onze ook op over reeds te tegen toch toen tot u uit uw van veel voor waar waarom wanneer want
waren was wat we wel werd wie wij wil worden wordt zal ze zelf zich zij zijn zo zonder zou
"""
_PORTUGUESE: Final = """
ainda ao aos apenas aquela aquele as até cada com como contra da das de depois do dos e é ela elas
ele eles em entre era essa esse esta está este eu foi foram há isso isto já lhe mais mas me mesmo
meu meus minha muito na não nas nem no nos nós nossa nosso num numa o obrigado olá os ou para pela
pelo por porque qual quando que quem se sem ser seu seus só sua suas também te tem tenho ter toda
todo todos tu um uma vai você vocês
"""

#: Folded to small letters; words of one letter are left out elsewhere.
STOPWORDS: Final = frozenset(
    " ".join((_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _ITALIAN, _DUTCH, _PORTUGUESE)).split()
)
