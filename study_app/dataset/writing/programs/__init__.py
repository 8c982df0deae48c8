"""Files of tables that other programs open: workbooks, SPSS, Stata."""
