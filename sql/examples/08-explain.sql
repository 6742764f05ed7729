-- What Kintone itself is asked: the query, the fields, and how many requests.
EXPLAIN
SELECT 日付, 報告者_names, 業務内容
FROM 日報
WHERE 日付 >= current_date - INTERVAL '7 days' AND 勤務形態 = '在宅'
ORDER BY 日付 DESC
LIMIT 100;
