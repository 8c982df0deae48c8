"""What a study compares: orders of treatments against periods, quizzes against the outcomes of the plan."""
