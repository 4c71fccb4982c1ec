"""Constructed courses that bring a stored definition to act, so that silence is noticed.

From the definition alone it is worked out what would make each rule that moves a course fire, and
what would make each requirement refuse: values at and around every threshold. Such courses are then
really told, in memory, through the same door as every other event, and it is held against what
happened. A rule that can be brought to fire in no way is as much of an alarm as one that was
expected to fire and did not.

Nothing here knows a workflow, and nothing here writes to a database of courses.
"""
