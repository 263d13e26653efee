fn main() {
    let args: Vec<String> = std::env::args().collect();
    let start = std::time::Instant::now();
    match args[1].as_str() {
        "csv" => {
            let mut reader =
                csv::ReaderBuilder::new().buffer_capacity(1 << 17).from_path(&args[2]).unwrap();
            let mut record = csv::ByteRecord::new();
            let mut cells = 0usize;
            while reader.read_byte_record(&mut record).unwrap() {
                cells += record.len();
            }
            println!("csv crate alone: {cells} cells, {:.2?}", start.elapsed());
        }
        "parse" => {
            let mut reader =
                csv::ReaderBuilder::new().buffer_capacity(1 << 17).from_path(&args[2]).unwrap();
            let mut record = csv::StringRecord::new();
            let mut sum = 0.0;
            while reader.read_record(&mut record).unwrap() {
                for cell in &record {
                    sum += cell.parse::<f64>().unwrap();
                }
            }
            println!("csv crate and f64: {sum}, {:.2?}", start.elapsed());
        }
        "open" => {
            let table = awl::Table::open(&args[2]).unwrap();
            println!("Table::open: {} rows, {:.2?}", table.rows(), start.elapsed());
            if args.len() > 3 {
                let parts = table.split(0, [0.8, 0.1, 0.1]).unwrap();
                drop(table);
                println!("split: {:.2?}", start.elapsed());
                let names: Vec<String> = parts[0].names().to_vec();
                let specs = [awl::tables::TargetSpec::new(&names[49])];
                let encoder =
                    awl::Encoder::fit_with(&parts[0], &names[..49], &specs, Default::default())
                        .unwrap();
                println!("fit: {:.2?}", start.elapsed());
                let data = parts.map(|part| encoder.encode(&part).unwrap());
                println!("encode: {} rows, {:.2?}", data[0].rows(), start.elapsed());
            }
        }
        "chunks" => {
            let mut rows = 0;
            for part in awl::Table::chunks(&args[2], 10_000) {
                rows += part.unwrap().rows();
            }
            println!("Table::chunks: {rows} rows, {:.2?}", start.elapsed());
        }
        _ => unreachable!(),
    }
}
