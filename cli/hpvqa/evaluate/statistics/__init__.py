"""How sure a number is when rows come in episodes: rows of one episode show the same event and are not independent.

Nothing here depends on the order of the rows, on the names of the episodes, or on which of two runs is named first,
not even in the last digit: counts are whole numbers, fractions are added exactly (``math.fsum``), and whatever draws at
random does so in an order that follows from the counts alone.
"""
