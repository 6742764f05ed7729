-- The lines of the orders are a table of their own: what sells, and what is earned by it.
SELECT p.商品分類, count(*) AS 行数, sum(l.数量) AS 数量, sum(l.小計) AS 売上,
       sum(l.小計 - coalesce(p.原価, 0) * l.数量) AS 粗利
FROM 受注_明細 l
JOIN PRODUCTS p ON p.商品コード = l.商品コード
GROUP BY 1
ORDER BY 売上 DESC;
