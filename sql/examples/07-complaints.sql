-- Who complained most in the last three months, out of 200,000 activities: Kintone sends those rows only.
SELECT 顧客名, count(*) AS クレーム件数, max(活動日時)::date AS 最後のクレーム,
       count(DISTINCT 担当者_names[1]) AS 担当者数
FROM "【営業】活動履歴（旧）"
WHERE ドロップダウン = 'クレーム' AND 活動日時 >= current_date - INTERVAL '90 days'
GROUP BY 顧客名
ORDER BY クレーム件数 DESC, 顧客名
LIMIT 10;
