PRAGMA user_version = 3;
CREATE TABLE preferences (key VARCHAR PRIMARY KEY, value VARCHAR);
CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE, title VARCHAR(256));
CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT NOT NULL, modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR, likes INTEGER DEFAULT 0, dislikes INTEGER DEFAULT 0, voters BLOB NOT NULL);
INSERT INTO threads VALUES (1, '/first/', 'First & foremost'), (2, '/second/?page=2', NULL), (3, 'my-own-id', 'Own id');
INSERT INTO comments VALUES
(1, 1, NULL, 1546421415.25, 1546421500.0, 1, '192.0.2.0', '*First!* and <b>bold</b>' || char(10) || char(10) || '    x < y', 'Ann', 'ann@mail.example', 'https://ann.example', 2, 0, x'00'),
(1, 2, 1, 1546421460.0, NULL, 1, '192.0.2.0', 'A reply', NULL, NULL, NULL, 0, 0, x'00'),
(1, 3, NULL, 1546421470.0, NULL, 2, '192.0.2.0', 'Pending', 'Bob', '', '', 0, 0, x'00'),
(1, 4, NULL, 1546421480.0, NULL, 4, '192.0.2.0', '', NULL, 'secret@mail.example', NULL, 0, 0, x'00'),
(1, 5, 4, 1546421490.0, NULL, 1, '192.0.2.0', 'I had answered', 'Ann', NULL, NULL, 0, 0, x'00'),
(1, 6, 77, 1546421495.0, NULL, 1, '192.0.2.0', 'My parent is gone', 'Cid', NULL, NULL, 0, 0, x'00'),
(2, 7, NULL, 1546421510.0, NULL, 1, '192.0.2.0', '<p>From <b>Disqus</b></p><p>once</p>', 'Dan', NULL, 'javascript:alert(1)', 0, 0, x'00'),
(3, 8, NULL, 1546421520.0, NULL, 1, '192.0.2.0', 'On a page with an id', 'Eve', NULL, NULL, 0, 0, x'00');
