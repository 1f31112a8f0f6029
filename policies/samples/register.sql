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
--   demo_poppcctz women per citizenship, 2024: nationals 51.1 %, other EU citizens 49.8 %, others 48.5 %
-- Not in those tables and therefore assumed: the even split of foreign citizens into EU and other, the 7 points by which
-- their employment rates differ from their mean, the education of nationals, births abroad by citizenship, ages, regions,
-- lengths of stay, hours of work and the shares of missing values.

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
            WHEN d_stay < 0.05 OR age < 1 THEN 'Y_LT1'
            WHEN d_stay < 0.24 OR age < 5 THEN 'Y1T4'
            WHEN d_stay < 0.44 OR age < 10 THEN 'Y5T9'
            ELSE 'Y_GE10' END AS duration_stay,
       -- Log-normal about the median (Box and Muller 1958).
       CASE WHEN age < 18 THEN NULL ELSE
            CASE citizen WHEN 'NAT' THEN 33841 WHEN 'EU_FOR' THEN 28099 ELSE 20724 END
            * exp(0.45 * sqrt(-2 * ln(1 - d_income)) * cos(2 * pi() * d_income_angle))
       END AS income_drawn
FROM aged a JOIN rates USING (citizen, sex) JOIN scales USING (citizen);

-- The register as a ministry would hand it over: with gaps.
CREATE TABLE residents AS
SELECT printf('R%06d', i) AS person_id,
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
