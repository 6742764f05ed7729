-- The comments of one app, the newest first in each record.
SELECT RecordId, Id, CreatorName, CreatedAt, Text
FROM Comments
WHERE AppId = '1354841'
LIMIT 20;
