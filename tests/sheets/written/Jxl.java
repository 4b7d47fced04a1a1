// Writes jxl.xls. JExcelApi 2.6.12; see make.sh.
import java.io.File;
import java.util.Date;
import jxl.Workbook;
import jxl.write.*;
import jxl.write.Number;

public class Jxl {
    public static void main(String[] args) throws Exception {
        WritableWorkbook book = Workbook.createWorkbook(new File(args[0] + "/jxl.xls"));
        WritableSheet page = book.createSheet("銷售", 0);
        WritableCellFormat day = new WritableCellFormat(new DateFormat("yyyy/MM/dd"));
        WritableCellFormat code = new WritableCellFormat(new NumberFormat("00000000"));
        row(page, 0, "銷售日報");
        row(page, 1, "品牌", "訂單日期", "品號", "品名", "數量", "業績");
        row(page, 2, "甲", null, null, "保濕面膜", 2.0, 1280.0);
        page.addCell(new DateTime(1, 2, new Date(1763769600000L), day, DateTime.GMT));
        page.addCell(new Number(2, 2, 123, code));
        row(page, 3, null, "2025/11/23", "TP00012040000352", "洗髮精 500ml", -1.0, -399.5);
        row(page, 4, "乙", null, "A5", "眉筆", 3.0);
        page.addCell(new DateTime(1, 4, new Date(1763856000000L), day, DateTime.GMT));
        page.addCell(new Formula(5, 4, "1/0"));
        row(page, 5, "合計", null, null, null, 4.0, 880.5);
        page.mergeCells(0, 2, 0, 3);
        page.mergeCells(0, 0, 5, 0);
        book.write();
        book.close();
    }

    static void row(WritableSheet page, int number, Object... values) throws Exception {
        for (int column = 0; column < values.length; column++) {
            if (values[column] instanceof Double) page.addCell(new Number(column, number, (Double) values[column]));
            else if (values[column] != null) page.addCell(new Label(column, number, (String) values[column]));
        }
    }
}
