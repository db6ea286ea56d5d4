"""Rates on real recordings: one module for each question, each with one function `measure`."""
