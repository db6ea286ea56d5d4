"""The console: the analysts' web pages. A queue of attempts, one attempt on a shared time axis, what-if, and a comparison of two.

Pages are rendered on the server; the small scripts only move, draw and reload. All styles and scripts are in the package, and the
content security policy forbids the browser to load anything else.
"""
