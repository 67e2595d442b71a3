# Let the keeper in by the replication protocol; the image lets clients of databases in alone.
echo "host replication all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
