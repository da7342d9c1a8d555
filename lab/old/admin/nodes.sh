# Which node serves what. Sourced by the scripts beside it.
ACEDB_NODES="wb-web1 wb-web2 wb-mining canopus"
MYSQL_NODES="wb-web1 wb-web2 wb-mining wb-gb1 canopus"
SUPPORT_NODES="wb-web1 wb-web2 wb-mining canopus"
MINING_NODE="wb-mining"
WEB_NODES="wb-web1 wb-web2 wb-mining canopus"

ACEDB=/usr/local/wormbase/acedb
MYSQL=/usr/local/mysql/data
SUPPORT=/usr/local/wormbase/databases
WEBSITE=/usr/local/wormbase/website
FTP=/usr/local/ftp/pub/wormbase
