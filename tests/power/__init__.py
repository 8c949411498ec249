"""Power is lost, at every point of a story, and the disk keeps what it likes of what was not synced.

oracle   what the file may hold: some prefix of the changes, with all that was acknowledged in it
disk     a disk that is looked at after each of its changes
story    400 operations of an engine on that disk
losses   power is lost again and again, and what a start then finds is judged
"""
