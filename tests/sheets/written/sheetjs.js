// Writes sheetjs.xlsx .xlsb .xls .ods .fods .xml (SpreadsheetML) .slk .dif. SheetJS 0.18.5; see make.sh.
const XLSX = require("xlsx");

const day = (text) => (Date.parse(text + "T00:00:00Z") - Date.UTC(1899, 11, 30)) / 86400000;
const rows = [
    ["銷售日報"],
    ["品牌", "訂單日期", "品號", "品名", "數量", "業績"],
    ["甲", { t: "n", v: day("2025-11-22"), z: "yyyy/mm/dd" }, { t: "n", v: 123, z: "00000000" }, "保濕面膜", 2, 1280],
    [null, "2025/11/23", "TP00012040000352", "洗髮精 500ml", -1, -399.5],
    ["乙", { t: "n", v: day("2025-11-23"), z: "yyyy/mm/dd" }, "A5", "眉筆", 3, { t: "e", v: 42, f: "NA()" }],
    ["合計", null, null, null, 4, 880.5],
];
const page = XLSX.utils.aoa_to_sheet(rows);
page["!merges"] = [XLSX.utils.decode_range("A3:A4"), XLSX.utils.decode_range("A1:F1")];
const book = XLSX.utils.book_new();
XLSX.utils.book_append_sheet(book, page, "銷售");
const folder = process.argv[2];
for (const [file, bookType] of Object.entries({
    "sheetjs.xlsx": "xlsx",
    "sheetjs.xlsb": "xlsb",
    "sheetjs.xls": "biff8",
    "sheetjs.ods": "ods",
    "sheetjs.fods": "fods",
    "sheetjs.xml": "xlml",
    "sheetjs.slk": "sylk",
    "sheetjs.dif": "dif",
})) {
    XLSX.writeFile(book, `${folder}/${file}`, { bookType, cellDates: false });
}
