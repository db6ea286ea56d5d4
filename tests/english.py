"""English, the language of the tests."""

from cameo_challenges.languages import language

ENGLISH = language("en")
DIGITS, WORDS = ENGLISH.digits, ENGLISH.lexicon
