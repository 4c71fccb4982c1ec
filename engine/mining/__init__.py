"""The log and the workflows in the forms that tools of process mining read.

- A log holds pseudonyms: courses, patients, sites and actors. It has no free text, and no value of
  a reading unless it is asked for.
- A course is written as it is read, one at a time: memory does not grow with the log.
- The activities of a log are the labels of the net, so that the one can be held against the other.
"""
