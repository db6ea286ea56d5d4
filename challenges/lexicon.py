"""The lexicon: the digits and words of challenges, each with its phonemes.

How the lexicon was chosen: common words of two or more syllables; each brings the lips together, to the teeth, or forward at
least once; none is closer than `MIN_DISTANCE` phoneme edits to another word or a digit; the kit's recogniser read each of them in
at least three of four tries (two natural synthetic voices, clean and in noise of 12 dB, beside digits). Phonemes are ARPAbet
without stress, General American, as in the CMU Pronouncing Dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass

MIN_DISTANCE = 3
"""Least number of phoneme edits between a word and any other word or digit; two digits may be closer ("five", "nine")."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word with its ARPAbet phonemes, in order."""

    word: str
    phonemes: tuple[str, ...]


def _entries(table: str) -> dict[str, Entry]:
    rows = (line.split() for line in table.strip().splitlines())
    return {word: Entry(word, tuple(phonemes)) for word, *phonemes in rows}


DIGITS = _entries("""
zero Z IH R OW
one W AH N
two T UW
three TH R IY
four F AO R
five F AY V
six S IH K S
seven S EH V AH N
eight EY T
nine N AY N
""")
"""The ten digits in order, as they are asked for: 0 is "zero", never "oh"."""

WORDS = _entries("""
baby B EY B IY
balloon B AH L UW N
banana B AH N AE N AH
basket B AE S K AH T
beaver B IY V ER
bishop B IH SH AH P
blossom B L AA S AH M
bottle B AA T AH L
buffalo B AH F AH L OW
butterfly B AH T ER F L AY
cabin K AE B AH N
camera K AE M ER AH
carpet K AA R P AH T
champion CH AE M P IY AH N
chimney CH IH M N IY
coffee K AO F IY
compass K AH M P AH S
cowboy K AW B OY
cucumber K Y UW K AH M B ER
dolphin D AA L F AH N
elephant EH L AH F AH N T
family F AE M AH L IY
farmer F AA R M ER
finger F IH NG G ER
flamingo F L AH M IH NG G OW
flower F L AW ER
football F UH T B AO L
grandma G R AE N D M AA
hamburger HH AE M B ER G ER
harvest HH AA R V AH S T
honeymoon HH AH N IY M UW N
kangaroo K AE NG G ER UW
library L AY B R EH R IY
lobster L AA B S T ER
magnet M AE G N AH T
mango M AE NG G OW
marble M AA R B AH L
melody M EH L AH D IY
microphone M AY K R AH F OW N
monkey M AH NG K IY
morning M AO R N IH NG
mountain M AW N T AH N
movie M UW V IY
museum M Y UW Z IY AH M
mushroom M AH SH R UW M
music M Y UW Z IH K
napkin N AE P K AH N
november N OW V EH M B ER
octopus AA K T AH P AH S
office AO F AH S
panda P AE N D AH
paper P EY P ER
pelican P EH L AH K AH N
pencil P EH N S AH L
photograph F OW T AH G R AE F
piano P IY AE N OW
picnic P IH K N IH K
planet P L AE N AH T
pocket P AA K AH T
pony P OW N IY
popcorn P AA P K AO R N
potato P AH T EY T OW
pumpkin P AH M P K AH N
purple P ER P AH L
raccoon R AE K UW N
rainbow R EY N B OW
robot R OW B AA T
sandwich S AE N D W IH CH
shadow SH AE D OW
shampoo SH AE M P UW
shoulder SH OW L D ER
silver S IH L V ER
slipper S L IH P ER
sofa S OW F AH
spider S P AY D ER
summer S AH M ER
table T EY B AH L
telephone T EH L AH F OW N
travel T R AE V AH L
trumpet T R AH M P AH T
umbrella AH M B R EH L AH
vampire V AE M P AY ER
velvet V EH L V AH T
village V IH L AH JH
volcano V AA L K EY N OW
water W AO T ER
watermelon W AO T ER M EH L AH N
whisper W IH S P ER
window W IH N D OW
wizard W IH Z ER D
yellow Y EH L OW
""")
"""The lexicon, in alphabetical order."""
