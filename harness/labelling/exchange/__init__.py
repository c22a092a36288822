"""Labels in the forms of other projects: what they published comes in, what was labelled here goes out."""
