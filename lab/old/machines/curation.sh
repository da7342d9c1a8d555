#!/bin/sh
# wb-web1: the curators' application has its database here, and asks from wb-dev.
set -eu

mariadb <<'END'
CREATE DATABASE IF NOT EXISTS curation;
CREATE USER IF NOT EXISTS curator@'%' IDENTIFIED BY 'curation';
GRANT ALL ON curation.* TO curator@'%';
CREATE TABLE IF NOT EXISTS curation.paper (
    id      INT AUTO_INCREMENT PRIMARY KEY,
    title   VARCHAR(200) NOT NULL,
    curated TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB;
INSERT INTO curation.paper (title) VALUES ('A C. elegans mutant that lives twice as long as wild type');
END
