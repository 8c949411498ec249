"""A database file is damaged at random: nothing that was never there is ever taken for good.

subject    a file of any size, and all the states that it went through
damages    what befalls it, and what a start makes of it
"""
