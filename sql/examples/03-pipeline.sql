-- The open deals of each salesperson: how many, how much, and what is likely to come of it.
SELECT 担当者_names[1] AS 営業担当, ステータス, count(*) AS 件数,
       sum(金額) AS 金額計, sum(加重金額) AS 見込額, min(受注予定日) AS 最も近い予定日
FROM DEALS
WHERE ステータス IN ('未着手', '商談中', '見積提出')
GROUP BY 1, 2
ORDER BY 見込額 DESC NULLS LAST, 営業担当, ステータス
LIMIT 30;
