-- Two apps joined: who bought most in the last year, and where they are.
SELECT c.会社名, c.ドロップダウン AS 都道府県, c.顧客ランク, count(*) AS 受注件数, sum(o.合計金額) AS 受注額
FROM 受注 o
JOIN CUSTOMERS c ON c.顧客コード = o.顧客コード
WHERE o.受注日 >= current_date - INTERVAL '1 year'
GROUP BY 1, 2, 3
ORDER BY 受注額 DESC, c.会社名
LIMIT 10;
