import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;

/** pgjdbc: values, parameters, DatabaseMetaData, cursors, errors, cancel and time limits: java Pgjdbc extended|simple */
public class Pgjdbc {
    static final String LONG = "株式会社東京本店営業部第一課顧客管理台帳二〇二六年度版関東甲信越地区法人契約更新予定一覧表兼請求書送付先住所録正式運用中改訂三版";
    static final String ENDLESS = "SELECT count(*) FROM generate_series(1, 1000) a, generate_series(1, 100) b, generate_series(1, 1000000) c WHERE a.a + b.b + c.c < 0";
    static final Instant MET = Instant.parse("2026-03-01T15:30:00Z");

    static String mode;
    static int failures;

    static Connection connect(String options) throws SQLException {
        Map<String, String> env = System.getenv();
        String url = "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE");
        return DriverManager.getConnection(url + "?preferQueryMode=" + mode + options, env.get("PGUSER"), env.get("PGPASSWORD"));
    }

    static void equal(String name, Object got, Object expected) {
        if (Objects.equals(got, expected)) return;
        failures++;
        System.out.println(name + "\n  expected " + expected + "\n  got      " + got);
    }

    static void passed(String what) {
        if (failures > 0) {
            System.out.println("not passed: " + what + " (" + mode + ")");
            System.exit(1);
        }
        System.out.println("passed: " + what + " (" + mode + ")");
    }

    interface Call { void run() throws Exception; }

    static void refused(String name, String sqlstate, Call call) throws Exception {
        try {
            call.run();
            equal(name, "an answer", sqlstate);
        } catch (SQLException error) {
            equal(name + ": " + error.getMessage(), error.getSQLState(), sqlstate);
        }
    }

    /** The rows of a result, these columns of each, joined by `|`; the result is closed. */
    static List<String> rows(ResultSet result, String... columns) throws SQLException {
        List<String> out = new ArrayList<>();
        try (result) {
            while (result.next()) {
                StringJoiner row = new StringJoiner("|");
                for (String column : columns) row.add(String.valueOf(result.getString(column)));
                out.add(row.toString());
            }
        }
        return out;
    }

    public static void main(String[] arguments) throws Exception {
        mode = arguments[0];
        // The default threshold asks for text; 1 makes the driver prepare at once and ask for binary.
        for (String options : new String[] {"", "&prepareThreshold=1", "&prepareThreshold=1&binaryTransfer=false"}) {
            try (Connection connection = connect(options)) {
                values(connection);
                parameters(connection);
            }
        }
        passed("pgjdbc reads and sends values");
        try (Connection connection = connect("")) {
            metadata(connection.getMetaData());
            passed("pgjdbc reads the catalog");
            cursors(connection);
            errors(connection);
            limits(connection);
        }
    }

    static void values(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement();
             ResultSet row = statement.executeQuery("SELECT * FROM 顧客台帳 ORDER BY \"$id\"")) {
            ResultSetMetaData columns = row.getMetaData();
            equal("names", columns.getColumnName(1) + columns.getColumnName(4), "$id会社名");
            equal("types", List.of(columns.getColumnType(1), columns.getColumnType(4), columns.getColumnType(6), columns.getColumnType(7), columns.getColumnType(8), columns.getColumnType(9), columns.getColumnType(10)),
                List.of(Types.BIGINT, Types.VARCHAR, Types.ARRAY, Types.NUMERIC, Types.DATE, Types.TIMESTAMP, Types.TIME));
            equal("of a table", columns.getTableName(1), "顧客台帳");
            equal("nullable", List.of(columns.isNullable(1), columns.isNullable(4)), List.of(ResultSetMetaData.columnNoNulls, ResultSetMetaData.columnNullable));
            row.next();
            equal("bigint", row.getLong("$id"), 1L);
            equal("text", row.getString("会社名"), "青井商店");
            equal("text[]", List.of((Object[]) row.getArray("タグ").getArray()), List.of("新規", "a,b", "say \"hi\""));
            equal("numeric", row.getBigDecimal("残高"), new BigDecimal("12345678901234567890.0123456789"));
            equal("date", row.getObject("取引開始日", LocalDate.class), LocalDate.of(2020, 2, 29));
            equal("timestamptz", row.getObject("面談日時", OffsetDateTime.class).toInstant(), MET);
            equal("time", row.getObject("開店", LocalTime.class), LocalTime.of(9, 30));
            equal("lines", row.getString("メモ"), "一行目\n\t\"引用\" \\ 終わり");
            equal("jsonb", row.getString("連絡先").contains("青井 太郎"), true);
            row.next();
            equal("nulls", Arrays.asList(row.getObject("取引開始日"), row.getObject("面談日時"), row.getObject("開店"), row.getObject("メモ")), Arrays.asList(null, null, null, null));
            equal("no items", ((Object[]) row.getArray("担当者").getArray()).length, 0);
            row.next();
            equal("null", row.getString("会社名"), null);
            equal("was null", row.wasNull(), true);
            equal("three rows", row.next(), false);
        }
        try (Statement statement = connection.createStatement()) {
            equal("64 kanji", rows(statement.executeQuery("SELECT 値 FROM " + LONG), "値"), List.of("長い名前"));
            equal("a join", rows(statement.executeQuery("SELECT d.件名, c.会社名 FROM deals d LEFT JOIN 顧客台帳 c ON c.顧客コード = d.顧客 ORDER BY d.id"), "件名", "会社名"),
                List.of("倉庫|青井商店", "本社|青井商店", "保守|null", "新規|null"));
            equal("table rows", rows(statement.executeQuery("SELECT * FROM 顧客台帳_連絡先 ORDER BY \"$id\", \"RowIndex\""), "$id", "RowIndex", "氏名", "年齢", "会社名"),
                List.of("1|1|青井 太郎|40|青井商店", "1|2|𠮷野 😀|null|青井商店", "3|1|高木|31.5|null"));
            equal("comments", rows(statement.executeQuery("SELECT * FROM comments WHERE appid = '1'"), "RecordId", "Text", "CreatorName"), List.of("1|確認しました|佐藤 花子"));
        }
    }

    static void parameters(Connection connection) throws Exception {
        Object[][] all = {{"bigint", -5_000_000_000L}, {"integer", 7}, {"smallint", 3}, {"numeric", new BigDecimal("-12345678901234567890.0123456789")}, {"float8", 1.5e300},
            {"boolean", true}, {"text", "日本語 'q' \\ 😀"}, {"date", LocalDate.of(2024, 2, 29)}, {"time", LocalTime.of(23, 59, 59, 999_999_000)},
            {"timestamp", LocalDateTime.of(1999, 12, 31, 23, 59)}, {"timestamptz", OffsetDateTime.of(2024, 1, 2, 3, 4, 0, 0, ZoneOffset.UTC)}};
        for (Object[] each : all) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT ?::" + each[0])) {
                for (int time = 0; time < 3; time++) {
                    statement.setObject(1, each[1]);
                    ResultSet row = statement.executeQuery();
                    row.next();
                    Class<?> type = each[0].equals("smallint") ? Integer.class : each[1].getClass();
                    equal("a " + each[0], row.getObject(1, type), each[1]);
                }
            }
        }
        String where = "SELECT 会社名 FROM 顧客台帳 WHERE 顧客コード = ? AND 残高 = ? AND 取引開始日 = ? AND 面談日時 = ? AND 開店 = ?::text::time AND \"$id\" = ANY(?)";
        try (PreparedStatement statement = connection.prepareStatement(where)) {
            if (mode.equals("extended")) equal("parameters", statement.getParameterMetaData().getParameterCount(), 6);
            statement.setString(1, "C001");
            statement.setBigDecimal(2, new BigDecimal("12345678901234567890.0123456789"));
            statement.setObject(3, LocalDate.of(2020, 2, 29));
            statement.setObject(4, MET.atOffset(ZoneOffset.UTC));
            statement.setString(5, "09:30");
            statement.setArray(6, connection.createArrayOf("bigint", new Object[] {1L, 2L}));
            equal("filtered", rows(statement.executeQuery(), "会社名"), List.of("青井商店"));
        }
    }

    static void metadata(DatabaseMetaData data) throws Exception {
        equal("product", data.getDatabaseProductName(), "PostgreSQL");
        equal("names", data.getMaxColumnNameLength() >= 254, true);
        equal("tables", rows(data.getTables(null, "public", "%", new String[] {"TABLE"}), "TABLE_NAME").containsAll(List.of("DEALS", "顧客台帳", "顧客台帳_連絡先", LONG, "Comments")), true);
        equal("a table", rows(data.getTables(null, "public", "DEALS", null), "TABLE_TYPE", "REMARKS"), List.of("TABLE|案件"));
        equal("schemas", rows(data.getSchemas(), "TABLE_SCHEM").contains("public"), true);
        equal("databases", rows(data.getCatalogs(), "TABLE_CAT"), List.of("kintone"));
        equal("columns", rows(data.getColumns(null, "public", "DEALS", "%"), "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "IS_NULLABLE", "REMARKS").subList(2, 6),
            List.of("件名|12|text|YES|件名", "顧客|12|text|YES|顧客", "Amount|2|numeric|YES|金額", "作業時間|1111|interval|YES|作業時間"));
        equal("64 kanji", rows(data.getColumns(null, null, LONG, "値"), "TABLE_NAME", "COLUMN_NAME"), List.of(LONG + "|値"));
        equal("primary key", rows(data.getPrimaryKeys(null, "public", "顧客台帳_連絡先"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"), List.of("$id|1|顧客台帳_連絡先_pkey", "RowId|2|顧客台帳_連絡先_pkey"));
        String[] key = {"PKTABLE_NAME", "PKCOLUMN_NAME", "FKTABLE_NAME", "FKCOLUMN_NAME"};
        equal("imported", rows(data.getImportedKeys(null, null, "DEALS"), key), List.of("顧客台帳|顧客コード|DEALS|顧客"));
        equal("exported", new TreeSet<>(rows(data.getExportedKeys(null, null, "顧客台帳"), key)), new TreeSet<>(List.of("顧客台帳|$id|顧客台帳_連絡先|$id", "顧客台帳|顧客コード|DEALS|顧客")));
        equal("indexes", new TreeSet<>(rows(data.getIndexInfo(null, "public", "顧客台帳", true, true), "INDEX_NAME", "COLUMN_NAME")),
            new TreeSet<>(List.of("顧客台帳_pkey|$id", "顧客台帳_レコード番号_key|レコード番号", "顧客台帳_顧客コード_key|顧客コード")));
        equal("types", rows(data.getTypeInfo(), "TYPE_NAME").containsAll(List.of("int8", "numeric", "text", "timestamptz", "jsonb", "_text")), true);
        equal("a row's identity", rows(data.getBestRowIdentifier(null, null, "DEALS", DatabaseMetaData.bestRowSession, false), "COLUMN_NAME"), List.of("$id"));
    }

    static void cursors(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(2);
            equal("by portals", rows(statement.executeQuery("SELECT 件名 FROM deals ORDER BY id"), "件名"), List.of("倉庫", "本社", "保守", "新規"));
            Savepoint savepoint = connection.setSavepoint();
            refused("in a transaction", "22012", () -> statement.executeQuery("SELECT 1 / 0"));
            refused("a failed one", "25P02", () -> statement.executeQuery("SELECT 1"));
            connection.rollback(savepoint);
            equal("after it", rows(statement.executeQuery("SELECT 5 AS a"), "a"), List.of("5"));
        }
        connection.rollback();
        connection.setAutoCommit(true);
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        equal("isolation", connection.getTransactionIsolation(), Connection.TRANSACTION_SERIALIZABLE);
        passed("pgjdbc pages by portals, and keeps transactions and savepoints");
    }

    static void errors(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            String[][] all = {{"SELEC 1", "42601"}, {"SELECT * FROM 無い表", "42P01"}, {"SELECT 無い列 FROM deals", "42703"}, {"SELECT 'x'::int", "22P02"},
                {"SELECT 1 / 0", "22012"}, {"SELECT no_such(1)", "42883"}, {"DELETE FROM deals", "0A000"}};
            for (String[] each : all) refused(each[0], each[1], () -> statement.execute(each[0]));
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM deals WHERE \"Amount\" = ?::numeric")) {
            statement.setString(1, "x");
            refused("a parameter", "22P02", statement::executeQuery);
        }
        passed("pgjdbc sees errors with their SQLSTATE");
    }

    static void limits(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
            timer.schedule(() -> { statement.cancel(); return null; }, 500, TimeUnit.MILLISECONDS);
            refused("canceled", "57014", () -> statement.executeQuery(ENDLESS));
            timer.shutdown();
            statement.setQueryTimeout(1);
            refused("a time limit", "57014", () -> statement.executeQuery(ENDLESS));
            statement.setQueryTimeout(0);
            equal("alive", rows(statement.executeQuery("SELECT 1 AS a"), "a"), List.of("1"));
        }
        passed("pgjdbc cancels, and its time limit ends a statement");
    }
}
