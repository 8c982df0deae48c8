"""Use cases of participants: enrolment, the flow through the stages, answers, programs, the assistant."""
