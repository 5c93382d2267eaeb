"""The site without a server: start page, course and gallery as files."""
