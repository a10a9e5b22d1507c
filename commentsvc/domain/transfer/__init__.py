"""Import of other systems' comments: readers of their files, and one pipeline that stores what they yield."""
