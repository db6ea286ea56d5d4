"""Languages: hold the word data of challenges in a folder for each BCP 47 tag, with one reader of them all."""

from cameo_challenges.languages.language import DEFAULT, Entry, Language, UnknownLanguageError, available, digest, language

__all__ = ["DEFAULT", "Entry", "Language", "UnknownLanguageError", "available", "digest", "language"]
