// Writes poi.xls. Apache POI 4.0.1 (its .xlsx writer does not run as Debian packages it); see make.sh.
import java.io.FileOutputStream;
import java.time.LocalDate;
import org.apache.poi.hssf.usermodel.HSSFWorkbook;
import org.apache.poi.ss.usermodel.*;
import org.apache.poi.ss.util.CellRangeAddress;

public class Poi {
    public static void main(String[] args) throws Exception {
        write(new HSSFWorkbook(), args[0] + "/poi.xls");
    }

    static void write(Workbook book, String path) throws Exception {
        Sheet page = book.createSheet("銷售");
        CellStyle day = book.createCellStyle(), code = book.createCellStyle();
        day.setDataFormat(book.createDataFormat().getFormat("yyyy/mm/dd"));
        code.setDataFormat(book.createDataFormat().getFormat("00000000"));
        row(page, 0, "銷售日報");
        row(page, 1, "品牌", "訂單日期", "品號", "品名", "數量", "業績");
        Row first = row(page, 2, "甲", 45983.0, 123.0, "保濕面膜", 2.0, 1280.0);
        first.getCell(1).setCellStyle(day);
        first.getCell(2).setCellStyle(code);
        row(page, 3, null, "2025/11/23", "TP00012040000352", "洗髮精 500ml", -1.0, -399.5);
        Row third = row(page, 4, "乙", 45984.0, "A5", "眉筆", 3.0);
        third.getCell(1).setCellStyle(day);
        Cell wrong = third.createCell(5);
        wrong.setCellFormula("NA()");
        wrong.setCellErrorValue(FormulaError.NA.getCode());
        row(page, 5, "合計", null, null, null, 4.0, 880.5);
        page.addMergedRegion(new CellRangeAddress(2, 3, 0, 0));
        page.addMergedRegion(new CellRangeAddress(0, 0, 0, 5));
        try (FileOutputStream out = new FileOutputStream(path)) {
            book.write(out);
        }
        book.close();
    }

    static Row row(Sheet page, int number, Object... values) {
        Row row = page.createRow(number);
        for (int column = 0; column < values.length; column++) {
            if (values[column] instanceof Double) row.createCell(column).setCellValue((Double) values[column]);
            else if (values[column] != null) row.createCell(column).setCellValue((String) values[column]);
        }
        return row;
    }
}
