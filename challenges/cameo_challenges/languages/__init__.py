"""The spoken languages of challenges, by their BCP 47 tags: a folder of data each, and one reader of them all."""

from cameo_challenges.languages.language import DEFAULT, Entry, Language, UnknownLanguageError, available, digest, language

__all__ = ["DEFAULT", "Entry", "Language", "UnknownLanguageError", "available", "digest", "language"]
