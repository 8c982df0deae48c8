"""The reporting checklists, each item answered from the data and the plan or left to the authors."""
