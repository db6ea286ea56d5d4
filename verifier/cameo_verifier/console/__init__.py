"""The analysts' web pages: a queue of attempts, one attempt on a shared time axis, what-if, and two attempts side by side.

Pages are made on the server; the little script there is only moves, draws and asks again. Nothing comes from anywhere else:
styles and scripts lie in the package, and the browser is told to load nothing beyond them.
"""
