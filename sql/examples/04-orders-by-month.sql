-- Orders by month, with the running total of the fiscal year from April.
WITH 月別 AS (
  SELECT date_trunc('month', 受注日)::date AS 月, count(*) AS 件数, sum(合計金額) AS 受注額
  FROM 受注
  WHERE 出荷状況 <> 'キャンセル' OR 出荷状況 IS NULL
  GROUP BY 1
)
SELECT 月, 件数, 受注額,
       sum(受注額) OVER (
         PARTITION BY extract(year FROM 月 - INTERVAL '3 months') ORDER BY 月
       ) AS 年度累計
FROM 月別
ORDER BY 月 DESC
LIMIT 24;
