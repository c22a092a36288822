"""What becomes of labels: tables for people, whether a teacher passes, how failed ones are asked again, and their way
to other machines."""
