"""FHIR R4, narrow: what a scheduling system and a laboratory need, each mapping in one module.

- Out: a proposed `Appointment`, the `Task` of a visit, the `CarePlan` of a course, the `AuditEvent`
  of a record. In: what became of an `Appointment`, and an `Observation`.
- Nothing is guessed: what has no mapping is refused, and the refusal names the element.
- Everybody is a pseudonym: a patient is an identifier, never a name. Free text is neither read nor
  written, but for titles of a workflow.
"""
