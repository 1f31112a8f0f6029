-- SPDX-License-Identifier: Apache-2.0
-- A SYNTHETIC register of 200,000 residents of a country like Austria. No row stands for anybody: every value is drawn from
-- the shares written below by hashing (seed, what is drawn, row number), so the same seed makes the same
-- register under the same version of DuckDB.
--
-- Calibrated on tables published by Eurostat (reuse with attribution, CC BY 4.0), Austria, 2023 where not said otherwise:
--   lfsa_ergan    employment rate, ages 15-64: nationals F 72.4, M 78.9; foreign citizens F 62.7, M 74.8; total 74.1
--   lfsa_pganws   foreign citizens 15-64, thousands: F 403.1 employed, 43.7 unemployed, 196.1 inactive; M 479.2, 53.8, 107.8
--   lfsa_egan     employed 15-64, thousands: 4394.3; with lfsa_ergan that is 5930 residents 15-64, 21.6 % of them foreign
--   lfsa_ugan     unemployed, thousands: nationals F 63.1, M 78.5; other EU citizens F 19.6, M 20.8; others F 24.3, M 33.1
--   edat_lfs_9911 education of foreign citizens 15-64: ED0-2 27.4 %, ED3_4 39.1 %, ED5-8 33.6 %
--   ilc_di15      median equivalised net income, 18+: nationals 33,841 EUR, other EU citizens 28,099, others 20,724
--   migr_imm1ctz  immigration by citizenship, 2021 to 2023: nationals 9,631, 10,501, 8,639; EU 64,422, 73,560, 68,937; others
--                 44,102, 117,162, 69,659; in 2023 from Asia 29,034, Africa 4,420, America 3,375, Oceania 251
--   tps00170      first residence permits, 2021 to 2023: 47,892, 55,258, 62,890
--   demo_poppcctz women per citizenship, 2024: nationals 51.1 %, other EU citizens 49.8 %, others 48.5 %
-- and by UNHCR (refugee data finder, CC BY 4.0): refugees who returned to their country from Austria: 5,000 in 2022 and 5,000 in 2023.
-- Not in those tables and therefore assumed: the even split of foreign citizens into EU and other, the 7 points by which
-- their employment rates differ from their mean, the education of nationals, births abroad by citizenship, ages, regions,
-- lengths of stay, hours of work and the shares of missing values; departures other than those returns, when in a year people move,
-- reasons and durations of permits, renewals, seasonal moves. Nobody is born or dies after 2020, so that stocks change by moves alone.

CREATE MACRO seed() AS 20231231;
CREATE MACRO residents_count() AS 200000;

-- The draw `name` of row i: a number in [0, 1).
CREATE MACRO draw(i, name) AS (hash(concat(seed(), '/', name, '/', i)) >> 11) / 9007199254740992.0;

CREATE TABLE draws AS
SELECT i,
       draw(i, 'citizen') AS d_citizen, draw(i, 'sex') AS d_sex, draw(i, 'birth') AS d_birth,
       draw(i, 'age') AS d_age, draw(i, 'capital') AS d_capital, draw(i, 'area') AS d_area,
       draw(i, 'year') AS d_year, draw(i, 'activity') AS d_activity, draw(i, 'education') AS d_education,
       draw(i, 'stay') AS d_stay, draw(i, 'income') AS d_income,
       draw(i, 'income angle') AS d_income_angle, draw(i, 'sex gap') AS d_sex_gap,
       draw(i, 'age gap') AS d_age_gap, draw(i, 'citizen gap') AS d_citizen_gap,
       draw(i, 'birth gap') AS d_birth_gap, draw(i, 'area gap') AS d_area_gap,
       draw(i, 'activity gap') AS d_activity_gap, draw(i, 'education gap') AS d_education_gap,
       draw(i, 'stay gap') AS d_stay_gap, draw(i, 'income gap') AS d_income_gap,
       draw(i, 'hours gap') AS d_hours_gap, draw(i, 'part time') AS d_part_time,
       draw(i, 'hours') AS d_hours, draw(i, 'hours more') AS d_hours_more
FROM range(1, residents_count() + 1) AS numbers(i);

CREATE TABLE people AS
SELECT *,
       CASE WHEN d_citizen < 0.814 THEN 'NAT'
            WHEN d_citizen < 0.906 THEN 'EU_FOR'
            WHEN d_citizen < 0.998 THEN 'NEU_FOR'
            ELSE 'STLS' END AS citizen
FROM draws;

CREATE TABLE placed AS
SELECT *,
       CASE WHEN d_sex < CASE citizen WHEN 'NAT' THEN 0.511 WHEN 'EU_FOR' THEN 0.498 ELSE 0.485 END
            THEN 'F' ELSE 'M' END AS sex,
       -- Country of birth given citizenship.
       CASE citizen
            WHEN 'NAT' THEN CASE WHEN d_birth < 0.91 THEN 'NAT' WHEN d_birth < 0.95 THEN 'EU_FOR' ELSE 'NEU_FOR' END
            WHEN 'EU_FOR' THEN CASE WHEN d_birth < 0.12 THEN 'NAT' WHEN d_birth < 0.96 THEN 'EU_FOR' ELSE 'NEU_FOR' END
            WHEN 'NEU_FOR' THEN CASE WHEN d_birth < 0.15 THEN 'NAT' WHEN d_birth < 0.17 THEN 'EU_FOR' ELSE 'NEU_FOR' END
            ELSE CASE WHEN d_birth < 0.45 THEN 'NAT' WHEN d_birth < 0.50 THEN 'EU_FOR' ELSE 'NEU_FOR' END
       END AS c_birth,
       -- Ages: foreign citizens are younger. First an age group by its share, then a year within it.
       CASE WHEN citizen = 'NAT' THEN
            CASE WHEN d_age < 0.145 THEN [0, 14] WHEN d_age < 0.250 THEN [15, 24]
                 WHEN d_age < 0.430 THEN [25, 39] WHEN d_age < 0.630 THEN [40, 54]
                 WHEN d_age < 0.780 THEN [55, 64] WHEN d_age < 0.970 THEN [65, 84] ELSE [85, 99] END
            ELSE
            CASE WHEN d_age < 0.155 THEN [0, 14] WHEN d_age < 0.275 THEN [15, 24]
                 WHEN d_age < 0.585 THEN [25, 39] WHEN d_age < 0.825 THEN [40, 54]
                 WHEN d_age < 0.920 THEN [55, 64] WHEN d_age < 0.995 THEN [65, 84] ELSE [85, 99] END
       END AS age_group,
       -- NUTS 2 regions; foreign citizens live more often in the capital.
       CASE WHEN d_capital < CASE WHEN citizen = 'NAT' THEN 0.0 ELSE 0.20 END THEN 'AT13'
            WHEN d_area < 0.033 THEN 'AT11' WHEN d_area < 0.222 THEN 'AT12'
            WHEN d_area < 0.438 THEN 'AT13' WHEN d_area < 0.501 THEN 'AT21'
            WHEN d_area < 0.640 THEN 'AT22' WHEN d_area < 0.808 THEN 'AT31'
            WHEN d_area < 0.870 THEN 'AT32' WHEN d_area < 0.955 THEN 'AT33'
            ELSE 'AT34' END AS ref_area
FROM people;

CREATE TABLE aged AS
SELECT * EXCLUDE (age_group),
       CAST(age_group[1] + floor(d_year * (age_group[2] - age_group[1] + 1)) AS INTEGER) AS age
FROM placed;

-- Rates at ages 15-64 by citizenship and sex: employed, and unemployed as a share of all.
CREATE TABLE rates AS
SELECT * FROM (VALUES
    ('NAT',     'F', 0.724, 0.027), ('NAT',     'M', 0.789, 0.034),
    ('EU_FOR',  'F', 0.697, 0.061), ('EU_FOR',  'M', 0.818, 0.065),
    ('NEU_FOR', 'F', 0.557, 0.076), ('NEU_FOR', 'M', 0.678, 0.103),
    ('STLS',    'F', 0.450, 0.090), ('STLS',    'M', 0.560, 0.120)) AS t(citizen, sex, employed, unemployed);

-- How employment at an age compares with the rate of 15-64; scaled below so that the rate comes out.
CREATE MACRO profile(age) AS
    CASE WHEN age < 20 THEN 0.45 WHEN age < 25 THEN 0.85 WHEN age < 55 THEN 1.13 WHEN age < 60 THEN 1.02 ELSE 0.55 END;

CREATE TABLE scales AS
SELECT citizen, avg(profile(age)) AS mean_profile FROM aged WHERE age BETWEEN 15 AND 64 GROUP BY citizen;

CREATE TABLE working AS
SELECT a.*,
       CASE WHEN age < 15 THEN NULL
            WHEN age BETWEEN 15 AND 64 THEN
                CASE WHEN d_activity < least(0.97 - unemployed, employed * profile(age) / mean_profile) THEN 'EMP'
                     WHEN d_activity < least(0.97 - unemployed, employed * profile(age) / mean_profile) + unemployed
                     THEN 'UNE' ELSE 'INAC' END
            WHEN age < 75 AND d_activity < 0.09 THEN 'EMP'
            ELSE 'INAC' END AS activity,
       CASE WHEN age < 15 THEN NULL
            WHEN citizen = 'NAT' THEN CASE WHEN d_education < 0.160 THEN 'ED0-2'
                                           WHEN d_education < 0.670 THEN 'ED3_4' ELSE 'ED5-8' END
            ELSE CASE WHEN d_education < 0.274 THEN 'ED0-2'
                      WHEN d_education < 0.665 THEN 'ED3_4' ELSE 'ED5-8' END
       END AS isced11,
       -- Who was born here has no length of stay; nobody stays longer than they live.
       CASE WHEN c_birth = 'NAT' THEN NULL
            WHEN d_stay < 0.07 OR age < 1 THEN 'Y_LT1'
            WHEN d_stay < 0.24 OR age < 5 THEN 'Y1T4'
            WHEN d_stay < 0.44 OR age < 10 THEN 'Y5T9'
            ELSE 'Y_GE10' END AS duration_stay,
       -- Log-normal about the median (Box and Muller 1958).
       CASE WHEN age < 18 THEN NULL ELSE
            CASE citizen WHEN 'NAT' THEN 33841 WHEN 'EU_FOR' THEN 28099 ELSE 20724 END
            * exp(0.45 * sqrt(-2 * ln(1 - d_income)) * cos(2 * pi() * d_income_angle))
       END AS income_drawn
FROM aged a JOIN rates USING (citizen, sex) JOIN scales USING (citizen);

-- What a ministry would hand over, one table a file: residents at the end of 2023, with gaps.
CREATE SCHEMA sample;
CREATE MACRO person(i) AS printf('R%06d', i);

CREATE TABLE sample.persons AS
SELECT person(i) AS person_id,
       CASE WHEN d_sex_gap >= 0.001 THEN sex END AS sex,
       CASE WHEN d_age_gap >= 0.002 THEN age END AS age,
       CASE WHEN d_citizen_gap >= 0.003 THEN citizen END AS citizen,
       CASE WHEN d_birth_gap >= 0.008 THEN c_birth END AS c_birth,
       CASE WHEN d_area_gap >= 0.004 THEN ref_area END AS ref_area,
       CASE WHEN d_activity_gap >= 0.015 THEN activity END AS activity,
       CASE WHEN d_education_gap >= 0.020 THEN isced11 END AS isced11,
       CASE WHEN d_stay_gap >= 0.030 THEN duration_stay END AS duration_stay,
       CASE WHEN d_income_gap >= 0.030 AND income_drawn IS NOT NULL -- least() skips NULL
            THEN CAST(round(least(income_drawn, 200000), 2) AS DECIMAL(9, 2)) END AS income,
       -- Usual weekly hours of the employed: women work part-time more often.
       CASE WHEN activity = 'EMP' AND d_hours_gap >= 0.010 THEN
            CAST(CASE WHEN d_part_time < CASE sex WHEN 'F' THEN 0.50 ELSE 0.13 END
                      THEN 8 + floor(d_hours * 25)
                      ELSE 36 + floor(d_hours * d_hours_more * 25) END AS INTEGER) END AS hours
FROM working
ORDER BY i;

-- ---- moves, 2021 to 2023

-- The register stands for a country of 9.13 million: its 200,000 residents have the published shares of ages 15 to 64.
CREATE MACRO scaled(published) AS CAST(round(published * 0.0219) AS INTEGER);
-- Of those who arrive, this share is still there at the end; the others left again and are in no table of residents.
CREATE MACRO share_staying() AS 0.68;
CREATE MACRO seasonal_count() AS 150;

CREATE TABLE targets AS
SELECT year, citizen, scaled(published) AS arrivals, CAST(round(scaled(published) * share_staying()) AS INTEGER) AS staying
FROM (VALUES (2021, 'NAT', 9631), (2022, 'NAT', 10501), (2023, 'NAT', 8639),
             (2021, 'EU_FOR', 64422), (2022, 'EU_FOR', 73560), (2023, 'EU_FOR', 68937),
             (2021, 'NEU_FOR', 44102), (2022, 'NEU_FOR', 117162), (2023, 'NEU_FOR', 69659)) AS t(year, citizen, published);

-- Residents who arrived in the window: last year's have been here for less than a year, the others for one to four.
-- Nationals return; they were born in the country and have no length of stay.
CREATE TABLE placed_in_line AS
SELECT i, citizen, sex, age, c_birth,
       CASE WHEN citizen = 'NAT' THEN 'NAT' WHEN duration_stay = 'Y_LT1' THEN 'last' ELSE 'before' END AS pool,
       row_number() OVER (PARTITION BY citizen, CASE WHEN citizen = 'NAT' THEN 'NAT' WHEN duration_stay = 'Y_LT1' THEN 'last'
                                                     ELSE 'before' END ORDER BY draw(i, 'arrival'), i) AS place
FROM working
WHERE (citizen = 'NAT' AND c_birth = 'NAT' AND age >= 3)
   OR (citizen IN ('EU_FOR', 'NEU_FOR') AND duration_stay IN ('Y_LT1', 'Y1T4') AND age >= 3);

CREATE TABLE quotas AS -- places in line, year after year
SELECT year, citizen, pool, sum(staying) OVER (PARTITION BY citizen, pool ORDER BY year) - staying AS above,
       sum(staying) OVER (PARTITION BY citizen, pool ORDER BY year) AS upto
FROM (SELECT *, CASE WHEN citizen = 'NAT' THEN 'NAT' WHEN year = 2023 THEN 'last' ELSE 'before' END AS pool FROM targets);

CREATE TABLE staying AS
SELECT i, p.citizen, sex, age, year
FROM placed_in_line p JOIN quotas q ON p.citizen = q.citizen AND p.pool = q.pool AND place > above AND place <= upto;

-- Those who are not there at the end: arrived and left again, left after years, or came for three seasons.
CREATE TABLE passing AS
SELECT row_number() OVER (ORDER BY kind, year, citizen, n) + residents_count() AS i, kind, year, citizen
FROM (SELECT 'short' AS kind, year, citizen, unnest(range(arrivals - staying -
             CASE WHEN citizen = 'EU_FOR' THEN seasonal_count() ELSE 0 END)) AS n FROM targets
      UNION ALL
      SELECT 'left', 0, citizen, unnest(range(persons)) FROM (VALUES ('NAT', 600), ('EU_FOR', 1080), ('NEU_FOR', 720)) AS t(citizen, persons)
      UNION ALL
      SELECT 'season', 0, 'EU_FOR', unnest(range(seasonal_count())));

CREATE TABLE gone AS
SELECT i, kind, year, citizen,
       CASE WHEN draw(i, 'sex') < CASE WHEN kind = 'season' THEN 0.35 ELSE 0.48 END THEN 'F' ELSE 'M' END AS sex,
       CAST(20 + floor(draw(i, 'year') * 41) AS INTEGER) AS age
FROM passing;

CREATE MACRO first_day(year) AS make_date(year, 1, 1);
-- Days of arrival: those of 2022 from outside the EU come from March on, most of them in spring.
CREATE MACRO arrival_day(i, year, citizen) AS
    CASE WHEN year = 2022 AND citizen = 'NEU_FOR' THEN CAST(floor(59 + 306 * draw(i, 'day') * draw(i, 'day')) AS INTEGER)
         ELSE CAST(floor(364 * draw(i, 'day')) AS INTEGER) END;

CREATE TABLE arrivals AS
SELECT i, citizen, sex, age, year, kind, first_day(year) + arrival_day(i, year, citizen) AS day,
       -- Of foreign residents who arrived, one in sixteen had lived here before and left within the window.
       kind = 'stays' AND citizen <> 'NAT' AND arrival_day(i, year, citizen) > 120 AND draw(i, 'before') < 0.09 AS is_back
FROM (SELECT i, citizen, sex, age, year, 'stays' AS kind FROM staying
      UNION ALL SELECT i, citizen, sex, age, year, kind FROM gone WHERE kind = 'short');

CREATE MACRO between_days(from_day, to_day, d) AS from_day + CAST(floor(d * date_diff('day', from_day, to_day)) AS INTEGER);

CREATE TABLE moves AS
SELECT i, citizen, sex, age, 'ARR' AS direction, day, CASE WHEN is_back OR citizen = 'NAT' THEN 'RIM' ELSE 'IMM' END AS move FROM arrivals
UNION ALL -- ... who had left before they came back
SELECT i, citizen, sex, age, 'DEP', between_days(first_day(2021), day - 60, draw(i, 'left')), 'EMI' FROM arrivals WHERE is_back
UNION ALL -- ... who left again
SELECT i, citizen, sex, age, 'DEP', between_days(day + 1, DATE '2024-01-01', draw(i, 'leave')), 'EMI' FROM arrivals WHERE kind = 'short'
UNION ALL
SELECT i, citizen, sex, age, 'DEP', between_days(first_day(2021), DATE '2024-01-01', draw(i, 'leave')), 'EMI' FROM gone WHERE kind = 'left'
UNION ALL
SELECT i, citizen, sex, age, 'ARR', first_day(season) + CAST(60 + floor(60 * draw(i, concat('come ', season))) AS INTEGER),
       CASE season WHEN 2021 THEN 'IMM' ELSE 'RIM' END FROM gone, range(2021, 2024) AS seasons(season) WHERE kind = 'season'
UNION ALL
SELECT i, citizen, sex, age, 'DEP', first_day(season) + CAST(270 + floor(60 * draw(i, concat('go ', season))) AS INTEGER), 'EMI'
FROM gone, range(2021, 2024) AS seasons(season) WHERE kind = 'season';

-- Refugees who returned: the first of the departures of others in 2022 and 2023, by a draw.
CREATE TABLE returned AS
SELECT i, day FROM (SELECT i, day, row_number() OVER (PARTITION BY year(day) ORDER BY draw(i, 'return'), i) AS place
                    FROM moves WHERE direction = 'DEP' AND citizen = 'NEU_FOR' AND year(day) >= 2022)
WHERE place <= scaled(5000);

CREATE MACRO reason_of(citizen, d) AS
    CASE citizen WHEN 'NAT' THEN NULL
                 WHEN 'EU_FOR' THEN CASE WHEN d < 0.55 THEN 'EMP' WHEN d < 0.78 THEN 'FAM' WHEN d < 0.93 THEN 'EDUC' ELSE 'OTH' END
                 ELSE CASE WHEN d < 0.17 THEN 'EMP' WHEN d < 0.45 THEN 'FAM' WHEN d < 0.55 THEN 'EDUC' ELSE 'OTH' END END;

-- Where from, or where to. Citizens of the EU move within it; the others' continents are those of 2023.
CREATE MACRO elsewhere(citizen, d) AS
    CASE citizen WHEN 'NEU_FOR' THEN CASE WHEN d < 0.06 THEN 'EU' WHEN d < 0.50 THEN 'EUR_OTH' WHEN d < 0.90 THEN 'ASI' WHEN d < 0.96 THEN 'AFR'
                                          WHEN d < 0.997 THEN 'AME' ELSE 'OCE' END
                 ELSE CASE WHEN d < 0.86 THEN 'EU' WHEN d < 0.93 THEN 'EUR_OTH' WHEN d < 0.95 THEN 'ASI' WHEN d < 0.96 THEN 'AFR'
                           WHEN d < 0.99 THEN 'AME' ELSE 'OCE' END END;

CREATE TABLE sample.crossings AS
SELECT person(m.i) AS person_id, m.day AS crossed_on, m.direction, CASE WHEN r.i IS NOT NULL THEN 'RTO' ELSE m.move END AS move,
       m.citizen, m.sex, elsewhere(m.citizen, draw(m.i, concat('elsewhere ', m.direction))) AS counterpart_area,
       CASE WHEN m.direction = 'ARR' THEN reason_of(m.citizen, draw(m.i, 'reason')) END AS reason
FROM moves m LEFT JOIN returned r ON m.i = r.i AND m.day = r.day AND m.direction = 'DEP'
ORDER BY m.day, m.i;

-- ---- stocks: who is resident on 1 January of 2023 and 2024. Who is there at a date has arrived more often than left since.
CREATE TABLE everybody AS
SELECT i, citizen, sex, age, 1 AS at_end FROM working
UNION ALL SELECT i, citizen, sex, age, 0 FROM gone;

CREATE TABLE sample.stocks AS
SELECT person(e.i) AS person_id, d.day AS counted_on, e.citizen, e.sex, greatest(e.age - (2024 - year(d.day)), 0) AS age
FROM everybody e CROSS JOIN (VALUES (DATE '2023-01-01'), (DATE '2024-01-01')) AS d(day)
LEFT JOIN (SELECT i, sum(CASE direction WHEN 'ARR' THEN 1 ELSE -1 END) AS net FROM moves WHERE day >= DATE '2023-01-01' GROUP BY i) m USING (i)
WHERE e.at_end - CASE WHEN d.day = DATE '2023-01-01' THEN coalesce(m.net, 0) ELSE 0 END = 1
ORDER BY e.i, d.day;

-- ---- residence permits of citizens of other countries, granted 2021 to 2023
CREATE TABLE permit_targets AS
SELECT year, scaled(published) AS permits FROM (VALUES (2021, 47892), (2022, 55258), (2023, 62890)) AS t(year, published);

-- First permits go to those who arrived in the year, and where there are more permits than arrivals, to others of an earlier year.
CREATE TABLE permit_line AS
SELECT i, year, day, row_number() OVER (PARTITION BY year ORDER BY priority, draw(i, 'permit'), i) AS place
FROM (SELECT i, year, day, 0 AS priority FROM arrivals WHERE citizen = 'NEU_FOR' AND NOT is_back
      UNION ALL
      SELECT i, 2021 + CAST(floor(3 * draw(i, 'permit year')) AS INTEGER) AS year,
             first_day(2021 + CAST(floor(3 * draw(i, 'permit year')) AS INTEGER)) + CAST(floor(365 * draw(i, 'permit day')) AS INTEGER), 1
      FROM working WHERE citizen = 'NEU_FOR' AND duration_stay IN ('Y1T4', 'Y5T9') AND i NOT IN (SELECT i FROM arrivals));

CREATE TABLE first_permits AS
SELECT i, year, least(day + CAST(floor(60 * draw(i, 'permit wait')) AS INTEGER), first_day(year) + 364) AS day
FROM permit_line JOIN permit_targets USING (year) WHERE place <= permits;

-- Renewed every year, four times in five, as long as the holder is there; and once by every third of those who came long ago.
CREATE TABLE renewals AS
SELECT f.i, f.day + CAST(365 * k AS INTEGER) AS day FROM first_permits f, range(1, 3) AS later(k)
WHERE f.i <= residents_count() AND f.day + CAST(365 * k AS INTEGER) < DATE '2024-01-01' AND draw(f.i, 'renewal') < 0.8
UNION ALL
SELECT i, first_day(2021) + CAST(floor(1095 * draw(i, 'renewal day')) AS INTEGER) FROM working
WHERE citizen = 'NEU_FOR' AND duration_stay IN ('Y5T9', 'Y_GE10') AND draw(i, 'renewal') < 0.33 AND i NOT IN (SELECT i FROM first_permits);

CREATE TABLE permits_drawn AS
SELECT i, day, 'FIRST' AS permit,
       CASE WHEN draw(i, 'duration') < 0.06 THEN 'M3-5' WHEN draw(i, 'duration') < 0.28 THEN 'M6-11' ELSE 'M_GE12' END AS duration
FROM first_permits
UNION ALL SELECT i, day, 'RENEWAL', CASE WHEN draw(i, 'duration') < 0.10 THEN 'M6-11' ELSE 'M_GE12' END FROM renewals;

CREATE TABLE sample.permits AS
SELECT person(p.i) AS person_id, p.day AS granted_on, p.permit, p.duration, e.sex,
       CASE WHEN draw(p.i, 'reason gap') >= 0.010 THEN reason_of('NEU_FOR', draw(p.i, 'reason')) END AS reason,
       -- Valid on 31 December 2023, by its length: five, eleven or twelve months and more.
       CASE WHEN p.day + CASE p.duration WHEN 'M3-5' THEN 150 WHEN 'M6-11' THEN 330 ELSE 365 END > DATE '2023-12-31'
            THEN 'VALID' ELSE 'ENDED' END AS validity,
       CAST(CASE p.duration WHEN 'M3-5' THEN 3 + floor(3 * draw(p.i, 'months')) WHEN 'M6-11' THEN 6 + floor(6 * draw(p.i, 'months'))
                            ELSE CASE WHEN draw(p.i, 'months') < 0.7 THEN 12 WHEN draw(p.i, 'months') < 0.85 THEN 24 ELSE 36 END
            END AS INTEGER) AS months
FROM permits_drawn p JOIN everybody e USING (i)
ORDER BY p.day, p.i;
