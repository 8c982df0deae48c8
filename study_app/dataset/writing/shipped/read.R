# Read this dataset into R, with the types and labels that its sidecars name.
#
#   source("read.R"); tables <- read_dataset()      a list of data frames; read_dataset("my-dataset") from elsewhere
#   people <- tables$participants
#   factor_of(people$occupation)                    a column with its labels, as a factor
#
# Needs jsonlite; for the Parquet format also arrow. Texts come without the mark that protects spreadsheets, moments as
# POSIXct in UTC, yes and no as TRUE and FALSE, and only empty cells as missing. JSON stays text: jsonlite::fromJSON.
# R prints moments with their fractions cut off, not rounded: round(as.numeric(moment), 3) has every millisecond.

read_dataset <- function(folder = ".", tables = NULL) {
  sidecars <- list.files(file.path(folder, "data"), pattern = "_data[.]json$", full.names = TRUE)
  found <- list()
  for (sidecar in sidecars) {
    description <- jsonlite::read_json(sidecar)
    if (!is.null(tables) && !(description$name %in% tables)) next
    found[[description$name]] <- read_table(file.path(dirname(sidecar), description$distribution), description)
  }
  found
}

read_table <- function(file, description) {
  csv <- grepl("[.]csv$", file)
  cells <- if (csv) csv_cells(file) else as.data.frame(arrow::read_parquet(file))
  for (column in description$variableMeasured) {
    cells[[column$name]] <- typed(cells[[column$name]], sub(".*#", "", column$additionalType), csv)
    attr(cells[[column$name]], "label") <- column$description
    terms <- column$valueReference
    if (length(terms) > 0) {
      codes <- vapply(terms, function(term) as.character(term$termCode), "")
      names(codes) <- vapply(terms, function(term) as.character(term$name), "")
      attr(cells[[column$name]], "codes") <- codes
    }
  }
  cells
}

# R takes every carriage return for the end of a line: one within a text is another character while R reads, and is put
# back afterwards. `encoding` marks texts as UTF-8; `fileEncoding` would lose them where R's locale is another.
csv_cells <- function(file) {
  bytes <- readBin(file, "raw", file.size(file))
  returns <- which(bytes == as.raw(13))
  within <- returns[findInterval(returns, which(bytes == as.raw(34))) %% 2 == 1]
  if (length(within) == 0) return(csv_texts(file))
  stand_in <- setdiff(c(1:8, 11:12, 14:31), as.integer(unique(bytes)))[1]
  bytes[within] <- as.raw(stand_in)
  copy <- tempfile()
  on.exit(unlink(copy))
  writeBin(bytes, copy)
  cells <- csv_texts(copy)
  cells[] <- lapply(cells, function(text) gsub(intToUtf8(stand_in), "\r", text, fixed = TRUE))
  cells
}

csv_texts <- function(file) {
  read.csv(file, colClasses = "character", na.strings = "", strip.white = FALSE, check.names = FALSE,
           encoding = "UTF-8", stringsAsFactors = FALSE)
}

typed <- function(cells, kind, csv) {
  if (kind %in% c("integer", "double")) return(as.numeric(cells))
  if (kind == "boolean") return(if (csv) cells == "1" else as.logical(cells))
  if (kind == "dateTime") {
    if (!csv) return(cells)
    return(as.POSIXct(sub("Z$", "", cells), format = "%Y-%m-%dT%H:%M:%OS", tz = "UTC"))
  }
  cells <- as.character(cells)
  if (csv && kind == "string") cells <- sub("^'", "", cells)
  cells
}

factor_of <- function(column) {
  codes <- attr(column, "codes")
  factor(as.character(column), levels = unname(codes), labels = names(codes))
}
