# Writes perl.xls (Spreadsheet::WriteExcel 2.40) and perl.xlsx (Excel::Writer::XLSX 1.10); see make.sh.
use strict;
use warnings;
use utf8;
use Spreadsheet::WriteExcel;
use Excel::Writer::XLSX;

my $folder = shift;
for my $book (Spreadsheet::WriteExcel->new("$folder/perl.xls"), Excel::Writer::XLSX->new("$folder/perl.xlsx")) {
    my $day = $book->add_format(num_format => 'yyyy/mm/dd');
    my $code = $book->add_format(num_format => '00000000');
    my $merged = $book->add_format(align => 'left', valign => 'vcenter');
    my $page = $book->add_worksheet('銷售');
    $page->merge_range('A1:F1', '銷售日報', $merged);
    $page->write_row('A2', ['品牌', '訂單日期', '品號', '品名', '數量', '業績']);
    $page->merge_range('A3:A4', '甲', $merged);
    $page->write_date_time('B3', '2025-11-22T', $day);
    $page->write_number('C3', 123, $code);
    $page->write_row('D3', ['保濕面膜', 2, 1280]);
    $page->write_row('B4', ['2025/11/23', 'TP00012040000352', '洗髮精 500ml', -1, -399.5]);
    $page->write('A5', '乙');
    $page->write_date_time('B5', '2025-11-23T', $day);
    $page->write_row('C5', ['A5', '眉筆', 3]);
    $page->write_formula('F5', '=NA()', undef, '#N/A');
    $page->write('A6', '合計');
    $page->write_row('E6', [4, 880.5]);
    $book->close;
}
