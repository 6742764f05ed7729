-- Checks of the deals.

-- Every deal belongs to a customer of the master
SELECT d."$id", d.案件番号, d.顧客コード
FROM DEALS d LEFT JOIN CUSTOMERS c ON c.顧客コード = d.顧客コード
WHERE c.顧客コード IS NULL;

-- A won deal has the date of the order
SELECT "$id", 案件番号 FROM DEALS WHERE ステータス = '受注' AND 受注日 IS NULL;

-- A probability is between 0 and 100 %
SELECT "$id", 案件番号, 確度 FROM DEALS WHERE 確度 < 0 OR 確度 > 100;
