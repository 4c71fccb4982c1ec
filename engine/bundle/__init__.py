"""Evidence bundles: courses as stored, what they were decided by, and the proof, in one file.

A bundle needs no database and no network, and can be checked without this package: see
`engine/standalone/regimen_verify.py`.
"""
