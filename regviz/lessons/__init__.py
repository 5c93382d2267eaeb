"""The course: lessons as Markdown files, and claims that programs check over twenty seeds."""
