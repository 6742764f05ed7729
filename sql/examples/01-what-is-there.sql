-- Every app that the connection can see, and how many fields each has.
SELECT a.AppId, a.Code, a.Name, count(f.Code) AS fields, a.ModifiedAt
FROM Apps a
LEFT JOIN Fields f ON f.AppId = a.AppId
GROUP BY a.AppId, a.Code, a.Name, a.ModifiedAt
ORDER BY a.AppId;
