"""What is told of courses to people, at a terminal and on pages: joined with titles, then in words.

Nothing here draws: `cli` has columns and colours, `pages` has tags.
"""
