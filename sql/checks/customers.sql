-- Checks of the customer master.

-- Every customer has a code of the form C00000
SELECT "$id", 顧客コード, 会社名 FROM CUSTOMERS WHERE 顧客コード IS NULL OR 顧客コード !~ '^C[0-9]{5}$';

-- No customer code is used twice
SELECT 顧客コード, count(*) FROM CUSTOMERS GROUP BY 顧客コード HAVING count(*) > 1;
