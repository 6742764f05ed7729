-- Checks of the orders and their lines.

-- The total is the subtotal and the tax
SELECT "$id", 受注番号, 小計合計, 消費税, 合計金額 FROM 受注 WHERE 小計合計 + 消費税 <> 合計金額;

-- The subtotals of the lines make the order's
SELECT o."$id", o.受注番号, o.小計合計, sum(l.小計) AS 明細の合計
FROM 受注 o JOIN 受注_明細 l ON l."$id" = o."$id"
GROUP BY 1, 2, 3
HAVING o.小計合計 <> sum(l.小計);

-- Nothing is ordered in the future
SELECT "$id", 受注番号, 受注日 FROM 受注 WHERE 受注日 > (now() AT TIME ZONE 'Asia/Tokyo')::date;
