"""In which arithmetic models compute: resolved once a sweep, part of the keys of what they make."""
