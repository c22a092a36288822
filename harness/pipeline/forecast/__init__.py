"""What a sweep could show, said before it runs."""
