// Writes exceljs.xlsx. ExcelJS 4.4.0; see make.sh.
const ExcelJS = require("exceljs");

const book = new ExcelJS.Workbook();
const page = book.addWorksheet("銷售");
page.addRow(["銷售日報"]);
page.addRow(["品牌", "訂單日期", "品號", "品名", "數量", "業績"]);
page.addRow(["甲", new Date(Date.UTC(2025, 10, 22)), 123, "保濕面膜", 2, 1280]);
page.addRow([null, "2025/11/23", "TP00012040000352", "洗髮精 500ml", -1, -399.5]);
page.addRow(["乙", new Date(Date.UTC(2025, 10, 23)), "A5", "眉筆", 3, { formula: "NA()", result: { error: "#N/A" } }]);
page.addRow(["合計", null, null, null, 4, 880.5]);
page.getCell("C3").numFmt = "00000000";
page.getCell("B3").numFmt = page.getCell("B5").numFmt = "yyyy/mm/dd";
page.mergeCells("A3:A4");
page.mergeCells("A1:F1");
book.xlsx.writeFile(`${process.argv[2]}/exceljs.xlsx`);
