-- A-rank customers that nobody has been in touch with for three months, out of 200,000 activities.
SELECT c.会社名, c.電話番号, max(a.活動日時) AS 最後の活動
FROM CUSTOMERS c
LEFT JOIN "【営業】活動履歴（旧）" a ON a.顧客コード = c.顧客コード
WHERE c.顧客ランク = 'A'
GROUP BY 1, 2
HAVING max(a.活動日時) IS NULL OR max(a.活動日時) < current_date - INTERVAL '90 days'
ORDER BY 最後の活動 NULLS FIRST, c.会社名
LIMIT 20;
